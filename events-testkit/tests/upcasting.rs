//! Records of earlier versions in the harness: through their upcasters, or into the dead letters with what failed.

use std::sync::Mutex;

use events_core::{Outgoing, Result, State, event, handler, payload, upcast};
use events_testkit::{Harness, Outcome};

#[event(topic = "deliveries", key = id, version = 3)]
#[derive(Debug, Clone, PartialEq)]
struct Delivered {
    id: String,
    #[event(since = 2, upcast)]
    door: u32,
    #[event(since = 3)]
    note: Option<String>,
}

#[payload]
struct DeliveredV1 {
    id: String,
    address: String,
}

#[upcast(from = 1)]
fn with_a_door(old: DeliveredV1) -> Result<Delivered> {
    assert_ne!(old.address, "nowhere", "no house stands there");
    let number = old.address.rsplit(' ').next().unwrap_or_default();
    let door = number
        .parse()
        .map_err(|error| anyhow::Error::new(error).context(format!("`{number}` is no door")))?;
    Ok(Delivered {
        id: old.id,
        door,
        note: None,
    })
}

#[derive(Default)]
struct Doors(Mutex<Vec<Delivered>>);

#[handler(service = "doors", retry(attempts = 3, backoff = "1ms..1ms"))]
async fn ring(delivered: Delivered, doors: State<Doors>) {
    let mut doors = doors.0.lock().expect("no handler panics here");
    doors.push(delivered);
}

fn record(version: u32, value: &str) -> Outgoing {
    let mut record = Outgoing::new("deliveries".to_owned());
    record.set_key(b"d-1");
    record.set_value(value.as_bytes());
    record.add_header("ce_id", value);
    record.add_header("ce_source", "elsewhere");
    record.add_header("ce_type", "Delivered");
    record.add_header("ce_eventversion", version.to_string());
    record
}

async fn outcome(version: u32, value: &str) -> Outcome {
    let harness = Harness::for_service("doors").state(Doors::default());
    harness.given_record(record(version, value)).run().await
}

fn rung(outcome: &Outcome) -> Vec<Delivered> {
    let doors = outcome.state::<Doors>();
    let doors = doors.0.lock().expect("no handler panics here");
    doors.clone()
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_an_older_record_through_its_upcaster() {
    let outcome = outcome(1, r#"{"id":"d-1","address":"Lane 7"}"#).await;
    outcome.expect_no_dead_letters();
    let expected = Delivered {
        id: "d-1".to_owned(),
        door: 7,
        note: None,
    };
    assert_eq!(rung(&outcome), [expected]);
}

#[tokio::test(start_paused = true)]
async fn what_an_upcaster_refuses_is_dead_lettered_at_once_with_its_causes() {
    let value = r#"{"id":"d-1","address":"Lane x"}"#;
    let outcome = outcome(1, value).await;
    let letter = outcome.expect_dead_letter("ring");
    // Trying again would end the same.
    assert_eq!(letter.attempts, 1);
    let causes: Vec<_> = letter.error.split("\ncaused by: ").collect();
    let [step, door, digit] = causes[..] else {
        panic!("{causes:?}");
    };
    assert!(
        step.contains("Delivered from version 1 to version 3") && step.contains("with_a_door"),
        "{step}"
    );
    assert_eq!(door, "`x` is no door");
    assert!(digit.contains("invalid digit"), "{digit}");
    // As it came, for whoever puts the upcaster right.
    assert_eq!(letter.record.record.value(), Some(value.as_bytes()));
    let version = letter.record.header_text("ce_eventversion");
    assert_eq!(version.as_deref(), Some("1"));
    assert_eq!(rung(&outcome), []);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_upcaster_is_an_error_of_the_attempt() {
    let outcome = outcome(1, r#"{"id":"d-1","address":"nowhere"}"#).await;
    let letter = outcome.expect_dead_letter("ring");
    assert_eq!(letter.attempts, 3);
    assert!(
        letter.error.contains("panicked") && letter.error.contains("no house stands there"),
        "{}",
        letter.error
    );
    assert_eq!(rung(&outcome), []);
}

#[tokio::test(start_paused = true)]
async fn a_letter_reads_as_its_handler_would_have_read_it() {
    let outcome = outcome(2, r#"{"id":"d-1","door":1}"#).await;
    assert_eq!(rung(&outcome)[0].door, 1);
    let failed = self::outcome(1, r#"{"id":"d-1","address":"nowhere"}"#).await;
    let letter = &failed.expect_dead_letter("ring").record;
    assert!(
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| letter.decode::<Delivered>()))
            .is_err()
    );
    let failed = self::outcome(1, r#"{"id":"d-1","address":"x"}"#).await;
    let letter = &failed.expect_dead_letter("ring").record;
    let error = letter.decode::<Delivered>().expect_err("no door");
    assert!(format!("{error:#}").contains("with_a_door"));
}

/// Alone on its topic, and its handler needs nothing of the headers: but for the version, they need not be read.
#[event(topic = "exclusive", key = id, version = 2, topic_exclusive)]
struct Sealed {
    id: String,
    #[event(since = 2, upcast)]
    seal: u32,
}

#[payload]
struct SealedV1 {
    id: String,
}

#[upcast(from = 1)]
fn with_a_seal(old: SealedV1) -> Sealed {
    Sealed {
        id: old.id,
        seal: 9,
    }
}

#[derive(Default)]
struct Seals(Mutex<Vec<u32>>);

#[handler(service = "seals", dedupe = false)]
async fn seal(sealed: Sealed, seals: State<Seals>) {
    let mut seals = seals.0.lock().expect("no handler panics here");
    seals.push(sealed.seal + u32::from(sealed.id.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_topic_tells_the_versions_of_what_is_upcast() {
    let record = |version: u32, value: &str| {
        let mut record = Outgoing::new("exclusive".to_owned());
        record.set_key(b"s-1");
        record.set_value(value.as_bytes());
        record.add_header("ce_eventversion", version.to_string());
        record
    };
    let outcome = Harness::for_service("seals")
        .state(Seals::default())
        .given_record(record(1, r#"{"id":"s-1"}"#))
        .given_record(record(2, r#"{"id":"s-1","seal":3}"#))
        .run()
        .await;
    outcome.expect_no_dead_letters();
    let seals = outcome.state::<Seals>();
    assert_eq!(*seals.0.lock().expect("no handler panics here"), [9, 3]);
}

/// Alone on its topic, without upcasters: no header of its records is read.
#[event(topic = "exclusive-plain", key = stamp, topic_exclusive)]
struct Stamped {
    stamp: String,
}

#[handler(service = "stamps", dedupe = false)]
async fn stamp(_stamped: Stamped) {}

#[tokio::test(start_paused = true)]
async fn a_later_version_that_cannot_be_read_is_told_from_a_broken_record() {
    let given = |version: u32| {
        let mut record = Outgoing::new("exclusive-plain".to_owned());
        record.set_key(b"s-1");
        record.set_value(br#"{"stamp":{"text":"s-1"}}"#);
        record.add_header("ce_eventversion", version.to_string());
        Harness::for_service("stamps").given_record(record).run()
    };
    let error = |outcome: &Outcome| outcome.dead_letters()[0].error.clone();
    let later = error(&given(2).await);
    assert!(
        later.contains("the record has version 2, so deploy a build that knows it"),
        "{later}"
    );
    let broken = error(&given(1).await);
    assert!(!broken.contains("deploy a build"), "{broken}");
}
