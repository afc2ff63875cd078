//! `#[upcast]`: records of earlier versions.

use std::any::Any;

use events_core::__private::apply_upcast;
use events_core::{
    DecodeError, Event, Fault, Json, Registry, Result, ServiceContext, Upcaster, check, decode,
    event, payload, to_current, upcast,
};
use serde_json::{Value, json};

/// A chain: structs, then raw JSON, then the event.
#[event(topic = "journeys", version = 4)]
#[derive(Debug, PartialEq)]
struct Journey {
    id: u64,
    #[event(since = 2, upcast)]
    from: String,
    #[event(since = 3)]
    note: Option<String>,
    #[event(since = 4, upcast)]
    stops: Vec<String>,
}

#[payload]
struct JourneyV1 {
    id: u64,
}

#[payload]
struct JourneyV2 {
    id: u64,
    from: String,
}

#[upcast(from = 1, event = Journey)]
fn v1_to_v2(old: JourneyV1) -> JourneyV2 {
    JourneyV2 {
        id: old.id,
        from: "home".to_owned(),
    }
}

#[upcast(from = 2, event = Journey)]
fn v2_to_v3(mut old: Value) -> Value {
    old["note"] = json!("upcast");
    old
}

#[payload]
struct JourneyV3 {
    id: u64,
    from: String,
    note: Option<String>,
}

#[upcast(from = 3)]
fn v3_to_v4(old: JourneyV3) -> Result<Journey> {
    ensure(old.from != "nowhere")?;
    assert_ne!(old.from, "chaos", "no panic of its own");
    Ok(Journey {
        id: old.id,
        stops: vec![old.from.clone()],
        from: old.from,
        note: old.note,
    })
}

fn ensure(fine: bool) -> std::result::Result<(), std::fmt::Error> {
    if fine { Ok(()) } else { Err(std::fmt::Error) }
}

/// A flat one, whose upcaster skips a version; the version between has none.
#[event(topic = "journeys", version = 3)]
#[derive(Debug, PartialEq)]
struct Ticket {
    id: u64,
    #[event(since = 3, upcast)]
    price: u64,
}

#[payload]
struct TicketV2 {
    id: u64,
}

#[upcast(from = 2)]
fn priced(old: TicketV2) -> Ticket {
    Ticket {
        id: old.id,
        price: 5,
    }
}

/// Nobody upcasts it.
#[event(topic = "journeys", version = 2)]
#[derive(Debug, PartialEq)]
struct Plain {
    id: u64,
    #[event(since = 2, default = seven)]
    count: u64,
}

fn seven() -> u64 {
    7
}

fn journey(value: &str, version: u32) -> Result<Journey> {
    decode(Some(value.as_bytes()), version)
}

fn travelled(id: u64, from: &str, note: Option<&str>) -> Journey {
    Journey {
        id,
        from: from.to_owned(),
        note: note.map(str::to_owned),
        stops: vec![from.to_owned()],
    }
}

#[test]
fn a_record_of_each_earlier_version_goes_through_its_chain() {
    let large = u64::MAX;
    assert_eq!(
        journey(&format!(r#"{{"id":{large}}}"#), 1).unwrap(),
        travelled(large, "home", Some("upcast"))
    );
    assert_eq!(
        journey(r#"{"id":2,"from":"Graz"}"#, 2).unwrap(),
        travelled(2, "Graz", Some("upcast"))
    );
    assert_eq!(
        journey(r#"{"id":3,"from":"Linz","note":null}"#, 3).unwrap(),
        travelled(3, "Linz", None)
    );
}

#[test]
fn the_current_version_and_later_ones_are_read_as_they_are() {
    let text = r#"{"id":4,"from":"Wels","note":null,"stops":[]}"#;
    for version in [4, 5] {
        assert!(journey(text, version).unwrap().stops.is_empty());
    }
}

#[test]
fn a_version_without_an_upcaster_is_read_as_the_next_that_has_one() {
    for version in [1, 2] {
        let ticket: Ticket = decode(Some(br#"{"id":1}"#), version).unwrap();
        assert_eq!(ticket, Ticket { id: 1, price: 5 });
    }
    assert!(decode::<Ticket>(Some(br#"{"id":1}"#), 3).is_err());
}

#[test]
fn without_an_upcaster_defaults_hold() {
    let plain: Plain = decode(Some(br#"{"id":1}"#), 1).unwrap();
    assert_eq!(plain, Plain { id: 1, count: 7 });
}

#[test]
fn what_becomes_of_a_payload_can_be_seen() {
    let now = to_current(Ticket::DESCRIPTOR, br#"{"id":1}"#, 1).unwrap();
    assert_eq!(*now, *br#"{"id":1,"price":5}"#);
    let same = to_current(Ticket::DESCRIPTOR, br#"{"id":1}"#, 3).unwrap();
    assert_eq!(*same, *br#"{"id":1}"#);
    assert!(events_core::is_upcast(Ticket::DESCRIPTOR));
    assert!(!events_core::is_upcast(Plain::DESCRIPTOR));
}

#[test]
fn a_failing_upcaster_is_a_decode_error_that_names_the_step_and_the_cause() {
    let error = journey(r#"{"id":3,"from":"nowhere"}"#, 3).unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(DecodeError::Upcast { from: 3, to: 4, .. })
    ));
    let text = format!("{error:#}");
    assert!(
        text.contains("v3_to_v4") && text.ends_with(&std::fmt::Error.to_string()),
        "{text}"
    );
    let error = journey(r#"{"id":"x"}"#, 1).unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("from version 1 to version 2")
            && text.contains("JourneyV1")
            && text.contains("invalid type"),
        "{text}"
    );
    let error = decode::<Ticket>(None, 1).unwrap_err();
    assert!(error.to_string().contains("no value"), "{error}");
}

fn faults(upcasters: Vec<&'static Upcaster>) -> Vec<Fault> {
    let registry = Registry {
        upcasters,
        ..Registry::linked()
    };
    let all = check(&registry, &ServiceContext::new("nobody"));
    let about = |fault: &Fault| fault.code.contains("upcaster");
    all.into_iter().filter(about).collect()
}

fn linked() -> Vec<&'static Upcaster> {
    Registry::linked().upcasters
}

fn codes(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.code).collect()
}

const fn of(from: u32, to: u32) -> Upcaster {
    Upcaster::new(Plain::DESCRIPTOR, (from, to), ("a::b", "a.rs:1"), |value| {
        apply_upcast::<Json, Value, Value>(value, Ok)
    })
}

#[test]
fn whole_chains_have_no_faults() {
    assert_eq!(faults(linked()), []);
}

#[test]
fn two_upcasters_of_one_version_are_a_fault() {
    static TWICE: [Upcaster; 2] = [of(1, 2), of(1, 2)];
    let found = faults(linked().into_iter().chain(&TWICE).collect());
    assert_eq!(codes(&found), ["duplicate-upcaster"]);
    assert!(
        found[0].message.contains("version 1 of `Plain`"),
        "{found:?}"
    );
}

#[test]
fn an_upcaster_that_does_not_lead_from_an_earlier_to_a_known_version_is_a_fault() {
    static WRONG: [Upcaster; 3] = [of(2, 3), of(1, 3), of(3, 2)];
    for wrong in &WRONG {
        let found = faults(linked().into_iter().chain([wrong]).collect());
        assert_eq!(codes(&found), ["upcaster-version"], "{wrong:?}");
    }
}

#[test]
fn a_chain_that_ends_too_early_is_a_fault_and_so_is_a_field_that_nobody_fills() {
    let without = |from: u32| {
        let is = |step: &&Upcaster| step.event == Journey::DESCRIPTOR && step.from == from;
        linked().into_iter().filter(move |step| !is(step)).collect()
    };
    let found = faults(without(2));
    assert_eq!(codes(&found), ["upcaster-chain"]);
    assert!(found[0].message.contains("end at version 2"), "{found:?}");
    let found = faults(without(1));
    assert_eq!(codes(&found), ["missing-upcaster"]);
    assert!(
        found[0]
            .message
            .contains("version 1 of `Journey` get `from`")
            && found[0].remedy.contains("#[upcast(from = 1)]"),
        "{found:?}"
    );
}

#[test]
fn an_upcaster_of_an_event_that_is_not_there_is_a_fault() {
    let mut registry = Registry::linked();
    registry.events.retain(|event| event.name != "Ticket");
    let found = check(&registry, &ServiceContext::new("nobody"));
    let found: Vec<_> = found
        .iter()
        .filter(|fault| fault.code == "upcaster-event")
        .collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("Ticket"), "{found:?}");
}

#[test]
fn a_panic_in_an_upcaster_is_the_callers() {
    let caught = std::panic::catch_unwind(|| journey(r#"{"id":3,"from":"chaos"}"#, 3));
    let caught: Box<dyn Any + Send> = caught.unwrap_err();
    assert!(caught.is::<String>() || caught.is::<&str>());
}
