//! Headers are bounded in number and in bytes (D7, D18).

use events_core::{Error, Meta, Outgoing, Result, State, Terminal, event, handler, header};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::{Probe, Step};
use super::stage::{Stage, Subject, record_of};
use crate::received::Received;

/// More headers than a record may have by default, and than the client of Kafka reads.
const MANY: usize = 20_000;
const UNREADABLE: usize = 100_001;
/// The bound of header bytes that the scenarios set, and a header beyond it.
const BYTES: usize = 100_000;
const LARGE: usize = 200_000;
/// Headers that a dead letter has at most.
const FEW: usize = 60;

fn with_many(record: &mut Outgoing, count: usize) {
    for _ in 0..count {
        record.add_header("", "");
    }
}

fn assert_reduced(letter: &Received, words: &[&str]) {
    assert!(letter.record.headers().len() <= FEW, "{letter:#?}");
    assert!(letter.record.size() < BYTES, "{}", letter.record.size());
    let error = letter.header_text(letter::ERROR).unwrap_or_default();
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
}

subject!(Loaded, unload, "conformance-loaded");

/// A record with too many headers, or too many bytes of them, is dead-lettered with few of them before a handler sees it, in
/// both modes. The others of its key are handled, and a record that no handler takes is skipped.
pub async fn too_many_headers_are_dead_lettered<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-loaded", 1).await;
    let loaded = |seq: u64| record_of(&Loaded::new("a", seq), &format!("a-{seq}"));
    let mut many = loaded(0);
    with_many(&mut many, MANY);
    let mut unreadable = loaded(1);
    with_many(&mut unreadable, UNREADABLE);
    let mut large = loaded(2);
    large.add_header("blob", vec![b'x'; LARGE]);
    let mut structured = Outgoing::new(stage.name);
    structured.set_key(b"a").set_value(
        format!(
            r#"{{"specversion":"1.0","type":"{}","id":"a-3","source":"s","data":{{"key":"a","seq":3}}}}"#,
            stage.name
        )
        .as_bytes(),
    );
    structured.add_header(header::CONTENT_TYPE, "application/cloudevents+json");
    with_many(&mut structured, MANY);
    let mut unknown = Outgoing::new(stage.name);
    unknown.set_value(b"{}").add_header(header::TYPE, "Unheard");
    with_many(&mut unknown, MANY);
    for record in [many, unreadable, large, structured, unknown] {
        stage.produce(record).await;
    }
    stage.send::<Loaded>("a", 5).await;
    // Given up with the id of the first: that is no duplicate.
    stage.produce(loaded(0)).await;
    let service = stage.service().configure(|settings| {
        settings.record_header_bytes = BYTES;
    });
    let running = stage.start_with(service).await;
    stage.committed_once(7).await;
    let letters = stage.letters_once(4).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("unload"),
        [("a".to_owned(), 5), ("a".to_owned(), 0)]
    );
    let of_offset = |offset: &str| {
        let found =
            |letter: &&Received| letter.header_text(letter::OFFSET).as_deref() == Some(offset);
        letters.iter().find(found).expect("a letter of that record")
    };
    assert_reduced(of_offset("0"), &["record_headers", "1000"]);
    assert_reduced(of_offset("1"), &["headers"]);
    assert_reduced(of_offset("2"), &["record_header_bytes", "100000"]);
    assert_reduced(of_offset("3"), &["record_headers"]);
    let first = of_offset("0");
    assert_eq!(first.header_text(header::ID).as_deref(), Some("a-0"));
    assert_eq!(first.record.value(), loaded(0).value());
    let left_out = first.header_text(letter::OMITTED_HEADERS);
    assert!(
        left_out.is_some_and(|count| count.parse::<usize>().is_ok_and(|count| count > MANY - FEW)),
        "{first:#?}"
    );
    Verdict::Held
}

#[event(
    topic = "conformance-unread",
    key = key,
    topic_exclusive,
    crate = crate::conformance::listed
)]
pub(crate) struct Unread {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-unread", dedupe = false, crate = crate::conformance::listed)]
async fn leave_unread(unread: Unread, probe: State<Probe>) -> Result<()> {
    probe.note(format!("{} {}", unread.key, unread.seq));
    Err(Terminal::new(Error::msg("no")).into())
}

/// Where no handler reads headers, a record with too many is handled; if it fails, its dead letter has few of them.
pub async fn headers_that_are_not_read_are_bounded_in_dead_letters<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let stage = Stage::set(cluster, "conformance-unread", 1).await;
    let mut record = Outgoing::new(stage.name);
    record.set_key(b"a").set_value(br#"{"key":"a","seq":7}"#);
    with_many(&mut record, MANY);
    stage.produce(record).await;
    let running = stage.start().await;
    stage.committed_once(1).await;
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    assert_eq!(stage.probe.notes(), ["a 7"]);
    assert_reduced(&letters[0], &["record_headers"]);
    Verdict::Held
}

#[event(
    topic = "conformance-mostly",
    key = key,
    topic_exclusive,
    crate = crate::conformance::listed
)]
pub(crate) struct Mostly {
    pub(crate) key: String,
}

#[handler(service = "conformance-mostly", dedupe = false, crate = crate::conformance::listed)]
async fn read_mostly(mostly: Mostly, meta: Meta, probe: State<Probe>) -> Result<()> {
    probe.note(format!("{} {}", mostly.key, meta.headers.len()));
    probe.attempt("read_mostly", &mostly.key, 0).await
}

/// As many headers as a record may have are parked and read back whole, also where only handlers read headers; one more is
/// too many.
pub async fn as_many_headers_as_a_record_may_have_are_parked<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return super::parking::LACKING;
    }
    let stage = Stage::set(cluster, "conformance-mostly", 1).await;
    stage.park(1).await;
    stage
        .probe
        .script("read_mostly", "a", 0, [Step::FailUntil("open")]);
    for (key, count) in [("a", 1_000), ("b", 1_001)] {
        let mut record = Outgoing::new(stage.name);
        record
            .set_key(key.as_bytes())
            .set_value(format!(r#"{{"key":"{key}"}}"#).as_bytes());
        with_many(&mut record, count);
        stage.produce(record).await;
    }
    let running = stage.start_with(stage.parking_service()).await;
    let letters = stage.letters_once(1).await;
    assert_eq!(letters[0].key_text().as_deref(), Some("b"));
    stage.committed_once(2).await;
    stage.probe.open("open");
    crate::eventually("the parked record is done", async || {
        stage.probe.has_done("read_mostly", "a", 0)
    })
    .await;
    running.shutdown().await;
    let notes = stage.probe.notes();
    assert!(
        notes.len() >= 3 && notes.iter().all(|note| note == "a 1000"),
        "{notes:?}"
    );
    Verdict::Held
}
