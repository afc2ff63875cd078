//! What a manifest and a graph tell of an event's life: released versions, deprecation.
#![allow(
    deprecated,
    reason = "the compiler's warning is a case of the UI tests"
)]

use events_core::company::{Company, Limits, Severity};
use events_core::contract::Contract;
use events_core::manifest::Manifest;
use events_core::{Event, Graph, Registry, event, handler, payload, service};

service!("depot");

/// Version 1 was forgotten: its lock begins with version 2.
#[event(topic = "parcels", key = id, version = 4, lock = "contracts/Parcel.json")]
struct Parcel {
    id: u64,
    weight: Option<u32>,
    #[event(since = 3)]
    note: Option<String>,
    #[event(since = 4)]
    sender: Option<String>,
}

#[event(topic = "parcels", key = id, deprecated = "use Parcel")]
struct Packet {
    id: u64,
}

/// Read and written by derived code.
#[event(topic = "parcels", deprecated = "use Parcel")]
#[serde(rename_all = "camelCase")]
struct Bundle {
    packet_ids: Vec<PacketId>,
}

#[payload]
struct PacketId(u64);

#[handler]
async fn unpack(packet: Packet) -> Parcel {
    Parcel {
        id: packet.id,
        weight: None,
        note: None,
        sender: None,
    }
}

fn manifest() -> Manifest {
    Manifest::of(&Registry::linked(), &[], "depot", |_| None)
}

#[test]
fn a_deprecation_is_told_wherever_the_event_is() {
    assert_eq!(Packet::DESCRIPTOR.deprecated, Some("use Parcel"));
    assert_eq!(Bundle::DESCRIPTOR.deprecated, Some("use Parcel"));
    assert_eq!(Parcel::DESCRIPTOR.deprecated, None);
    let manifest = manifest();
    let of = |name: &str| {
        manifest
            .event(name)
            .and_then(|event| event.deprecated.clone())
    };
    assert_eq!(of("Packet").as_deref(), Some("use Parcel"));
    assert_eq!(of("Parcel"), None);

    let linked = Graph::of(&Registry::linked());
    let joined = Company::join([manifest]).graph();
    for graph in [linked, joined] {
        let text = graph.to_text();
        assert!(
            text.contains("Packet  [parcels]  deprecated: use Parcel\n"),
            "{text}"
        );
        assert_eq!(text.matches("Parcel  [parcels]\n").count(), 1, "{text}");
        let mermaid = graph.to_mermaid();
        assert!(
            mermaid.contains("Packet<br/><small>parcels<br/>deprecated: use Parcel</small>"),
            "{mermaid}"
        );
        let dot = graph.to_dot();
        assert!(
            dot.contains("label=\"Packet, deprecated: use Parcel\", tooltip=\"parcels\""),
            "{dot}"
        );
    }
}

#[test]
fn a_manifest_holds_the_released_versions_of_the_lock() {
    let manifest = manifest();
    let parcel = manifest.event("Parcel").expect("it is emitted");
    let lock = Contract::read("Parcel.json", Parcel::DESCRIPTOR.locked).expect("a lock");
    let versions: Vec<_> = parcel.versions.keys().copied().collect();
    assert_eq!((parcel.oldest, versions), (Some(2), vec![2, 3]));
    for (version, schema) in &parcel.versions {
        assert_eq!(Some(schema), lock.version(*version).map(|of| &of.schema));
    }
    assert!(parcel.versions[&2]["properties"].get("note").is_none());
    let unlocked = manifest.event("Packet").expect("it is taken");
    assert_eq!((unlocked.oldest, unlocked.versions.len()), (None, 0));
}

#[test]
fn a_reader_older_than_what_the_lock_keeps_is_told() {
    let reader = |version: u32| {
        let mut reader = manifest();
        reader.service = "office".to_owned();
        reader.handlers.truncate(1);
        reader.handlers[0].takes = vec!["Parcel".to_owned()];
        reader.handlers[0].emits.clear();
        reader.publishes.clear();
        for event in reader
            .events
            .iter_mut()
            .filter(|event| event.name == "Parcel")
        {
            event.version = version;
            event.oldest = None;
        }
        let findings = Company::join([manifest(), reader]).check(&Limits::default());
        let found = findings
            .into_iter()
            .find(|found| found.event.as_deref() == Some("Parcel"));
        found.map(|found| (found.fault.code, found.severity))
    };
    assert_eq!(reader(1), Some(("reader-too-old", Severity::Error)));
    assert_eq!(reader(2), Some(("newer-writer", Severity::Note)));
    assert_eq!(reader(4), None);
}
