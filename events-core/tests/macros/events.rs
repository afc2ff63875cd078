//! `#[event]`: descriptors and registration.

use events_core::{Codec, Event, EventDescriptor, Registry, Result, event};

/// An order
/// was accepted.
///
/// Only the first paragraph is kept.
#[event(topic = "orders", key = order_id, version = 3, name = "orders.placed", topic_default, topic_exclusive)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderPlaced {
    pub(crate) order_id: String,
    pub(crate) amount_cents: u64,
}

#[event(topic = "pings")]
#[derive(Debug, PartialEq)]
struct Ping;

#[event(topic = "names", key = 0)]
#[derive(Debug, PartialEq)]
struct Renamed(String);

#[event(topic = "raw", key = r#type)]
#[derive(Debug, PartialEq)]
struct r#Match {
    r#type: String,
}

#[event(topic = "shouts", codec = Shouted)]
#[derive(Debug, PartialEq)]
struct Shout {
    text: String,
}

/// JSON in capitals, to see that the event's codec is the one that is used.
struct Shouted;

impl Codec for Shouted {
    const CONTENT_TYPE: &'static str = "text/shouted";

    fn encode<T: events_core::__private::serde::Serialize>(
        payload: &T,
        into: &mut Vec<u8>,
    ) -> Result<()> {
        events_core::Json::encode(payload, into)?;
        into.make_ascii_uppercase();
        Ok(())
    }

    fn decode<T: events_core::__private::serde::de::DeserializeOwned>(value: &[u8]) -> Result<T> {
        events_core::Json::decode(&value.to_ascii_lowercase())
    }
}

#[cfg(any())]
#[event(topic = "never")]
struct NotCompiled {
    nothing: Missing,
}

#[event(topic = "never")]
#[cfg(any())]
struct NotCompiledEither {
    nothing: Missing,
}

fn descriptor<E: Event>() -> &'static EventDescriptor {
    E::DESCRIPTOR
}

#[test]
fn descriptors_hold_what_the_attribute_says() {
    let placed = descriptor::<OrderPlaced>();
    assert_eq!(placed.name, "orders.placed");
    assert_eq!(placed.topic, "orders");
    assert_eq!(placed.version, 3);
    assert_eq!(placed.key, ["order_id"]);
    assert!(placed.topic_default);
    assert!(placed.topic_exclusive);
    assert_eq!(placed.doc, "An order was accepted.");
    assert_eq!(placed.package, "events-core");
    assert_eq!(placed.rust_path, "macros::events::OrderPlaced");
    assert_eq!(placed.content_type, "application/json");
}

#[test]
fn descriptors_have_defaults() {
    let ping = descriptor::<Ping>();
    assert_eq!((ping.name, ping.version, ping.doc), ("Ping", 1, ""));
    assert!(ping.key.is_empty());
    assert!(!ping.topic_default);
    assert!(!ping.topic_exclusive);
    assert_eq!(descriptor::<Renamed>().key, ["0"]);
}

#[test]
fn raw_identifiers_are_plain_on_the_wire() {
    let raw = descriptor::<r#Match>();
    assert_eq!((raw.name, raw.key), ("Match", ["type"].as_slice()));
    let encoded = events_core::encode(&r#Match {
        r#type: "x".to_owned(),
    })
    .unwrap();
    assert_eq!(encoded.value, br#"{"type":"x"}"#);
}

#[test]
fn every_event_is_registered_once() {
    let registry = Registry::linked();
    for name in ["orders.placed", "Ping", "Renamed", "Match", "Shout"] {
        let found = registry
            .events
            .iter()
            .filter(|event| event.name == name)
            .count();
        assert_eq!(found, 1, "{name}");
    }
    assert!(registry.events.iter().all(|event| event.topic != "never"));
}

#[test]
fn events_go_through_their_codec() {
    let shout = Shout {
        text: "ahoy".to_owned(),
    };
    let encoded = events_core::encode(&shout).unwrap();
    assert_eq!(encoded.value, br#"{"TEXT":"AHOY"}"#);
    assert_eq!(
        events_core::decode::<Shout>(Some(&encoded.value), 1).unwrap(),
        shout
    );
    assert_eq!(descriptor::<Shout>().content_type, "text/shouted");
}

#[test]
fn command_lines_encode_from_json() {
    let encode = descriptor::<OrderPlaced>().encode_json;
    let encoded = encode(r#"{"amount_cents": 5, "order_id": "o-1"}"#).unwrap();
    assert_eq!(encoded.key.as_deref(), Some("o-1"));
    assert_eq!(encoded.value, br#"{"order_id":"o-1","amount_cents":5}"#);
    let error = encode(r#"{"order_id": "o-1"}"#).unwrap_err();
    assert!(
        error.to_string().contains("missing field `amount_cents`"),
        "{error}"
    );
}

#[test]
fn an_event_without_fields_is_an_empty_object() {
    let encoded = events_core::encode(&Ping).unwrap();
    assert_eq!(encoded.value, b"{}");
    // A later version of it may have fields.
    assert_eq!(
        events_core::decode::<Ping>(Some(br#"{"note":"x"}"#), 2).unwrap(),
        Ping
    );
    assert!(events_core::decode::<Ping>(Some(b"7"), 1).is_err());
    assert_eq!((descriptor::<Ping>().schema)()["type"], "object");
}

#[test]
fn a_newtype_is_its_field() {
    let encoded = events_core::encode(&Renamed("Ada".to_owned())).unwrap();
    assert_eq!(
        (encoded.key.as_deref(), &*encoded.value),
        (Some("Ada"), br#""Ada""#.as_slice())
    );
}

#[test]
fn errors_of_decoding_name_the_event_and_the_versions() {
    let error = events_core::decode::<OrderPlaced>(Some(b"{"), 4).unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("orders.placed") && text.contains("version 3") && text.contains("version 4"),
        "{text}"
    );
    let error = events_core::decode::<OrderPlaced>(None, 1).unwrap_err();
    assert!(error.to_string().contains("no value"), "{error}");
}
