//! Bad input: what happens with records that no well-behaved producer writes. Never a panic, never a stuck lane.

use events_core::{Meta, Outgoing, State, event, handler, header};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Probe;
use super::stage::{Stage, Subject, pairs, record_of, status_once};

subject!(Named, take_named, "conformance-untyped");

/// A record without a type, or of an unknown one, is skipped without a look at its value; so is a tombstone.
pub async fn records_that_nobody_knows_are_skipped<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-untyped", 1).await;
    let mut untyped = Outgoing::new(stage.name);
    untyped.set_key(b"a").set_value(b"no event at all");
    stage.produce(untyped).await;
    let mut unknown = Outgoing::new(stage.name);
    unknown
        .set_key(b"a")
        .set_value(b"\xff\xfe")
        .add_header(header::TYPE, "Unheard")
        .add_header(header::ID, "1");
    stage.produce(unknown).await;
    let mut garbled = Outgoing::new(stage.name);
    garbled
        .set_value(b"{}")
        .add_header(header::TYPE, b"\xff\xff");
    stage.produce(garbled).await;
    let mut tombstone = Outgoing::new(stage.name);
    tombstone.set_key(b"a").add_header(header::TYPE, stage.name);
    stage.produce(tombstone).await;
    stage.produce(Outgoing::new(stage.name)).await;
    stage.send::<Named>("a", 5).await;
    let running = stage.start().await;
    stage.committed_once(6).await;
    // A lane commits before it tells what it skipped.
    status_once(&running, "all others are counted", |status| {
        status.lanes[0].skipped == 5
    })
    .await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("take_named"), pairs(&[("a", 5)]));
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

#[event(topic = "conformance-default", key = key, topic_default, crate = crate::conformance::listed)]
pub(crate) struct Plain {
    pub(crate) key: String,
}

#[handler(service = "conformance-default", crate = crate::conformance::listed)]
async fn take_plain(plain: Plain, meta: Meta, probe: State<Probe>) {
    probe.note(format!(
        "{} {} {} v{}",
        plain.key, meta.id, meta.source, meta.version
    ));
}

/// Where a topic has a default type, a record without one is of that type, and is named by where it stands; a record of
/// an unknown type still is not.
pub async fn a_topic_may_have_a_default_type<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-default", 1).await;
    let mut bare = Outgoing::new(stage.name);
    bare.set_value(br#"{"key":"a"}"#);
    stage.produce(bare).await;
    let mut other = Outgoing::new(stage.name);
    other
        .set_value(br#"{"key":"b"}"#)
        .add_header(header::TYPE, "Other");
    stage.produce(other).await;
    let mut truncated = Outgoing::new(stage.name);
    truncated.set_value(br#"{"key":"#);
    stage.produce(truncated).await;
    let running = stage.start().await;
    stage.committed_once(3).await;
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.notes(),
        ["a conformance-default/0/0 kafka:conformance-default v1"]
    );
    assert_eq!(letters[0].header_text(letter::OFFSET).as_deref(), Some("2"));
    Verdict::Held
}

#[event(topic = "conformance-headers", key = key, version = 2, crate = crate::conformance::listed)]
pub(crate) struct Marked {
    pub(crate) key: String,
    #[event(since = 2)]
    pub(crate) colour: Option<String>,
}

#[handler(service = "conformance-headers", crate = crate::conformance::listed)]
async fn take_marked(marked: Marked, meta: Meta, probe: State<Probe>) {
    let tenant = meta.header("tenant").unwrap_or("none").to_owned();
    let Meta {
        id, version, hops, ..
    } = meta;
    probe.note(format!(
        "{} {:?} {id} v{version} {hops} {tenant}",
        marked.key, marked.colour
    ));
}

fn marked(key: &str, headers: &[(&str, Option<&[u8]>)]) -> Outgoing {
    let mut record = Outgoing::new("conformance-headers");
    record
        .set_key(key.as_bytes())
        .set_value(format!(r#"{{"key":"{key}","extra":[1]}}"#).as_bytes());
    record.add_header(header::TYPE, "Marked");
    for (name, value) in headers {
        record.add_raw_header(name.as_bytes(), *value);
    }
    record
}

/// Headers that are double, null, not UTF-8, no numbers, or far too large harm nothing: of several the last counts, what is
/// no text or no number counts as absent in the envelope and has its bad bytes replaced elsewhere.
pub async fn odd_headers_harm_nothing<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-headers", 1).await;
    let records = [
        marked(
            "double",
            &[
                (header::ID, Some(b"first")),
                (header::ID, Some(b"last")),
                ("tenant", Some(b"x")),
                ("tenant", Some(b"y")),
            ],
        ),
        marked(
            "bytes",
            &[
                (header::ID, Some(b"\xff\xfe")),
                ("tenant", Some(b"caf\xe9")),
                (header::SOURCE, Some(b"\x00\xff")),
            ],
        ),
        marked(
            "null",
            &[(header::ID, None), ("tenant", None), (header::HOPS, None)],
        ),
        marked(
            "numbers",
            &[
                (header::ID, Some(b"n")),
                (header::EVENT_VERSION, Some(b"two")),
                (header::HOPS, Some(b"-1")),
            ],
        ),
        marked(
            "huge",
            &[
                (header::ID, Some(b"h")),
                (header::EVENT_VERSION, Some(b"99999999999999999999")),
                (header::HOPS, Some(b"99999999999")),
            ],
        ),
        marked(
            "long",
            &[(header::ID, Some(b"l")), ("tenant", Some(&[b'z'; 60_000]))],
        ),
    ];
    let count = records.len() as i64;
    for record in records {
        stage.produce(record).await;
    }
    let running = stage.start().await;
    stage.committed_once(count).await;
    running.shutdown().await;
    let mut notes = stage.probe.notes();
    notes.sort();
    let long = "z".repeat(60_000);
    let replaced = char::REPLACEMENT_CHARACTER;
    // An id that is no text is none: the record is named by where it stands.
    let mut expected = vec![
        "double None last v1 0 y".to_owned(),
        format!("bytes None conformance-headers/0/1 v1 0 caf{replaced}"),
        "null None conformance-headers/0/2 v1 0 none".to_owned(),
        "numbers None n v1 0 none".to_owned(),
        "huge None h v4294967295 4294967295 none".to_owned(),
        format!("long None l v1 0 {long}"),
    ];
    expected.sort();
    // A null header may be read as an empty one: some clients cannot tell the two apart.
    let same = |(note, wanted): (&String, &String)| note == wanted || note.starts_with("null None");
    assert!(
        notes.len() == expected.len() && notes.iter().zip(&expected).all(same),
        "{notes:?}"
    );
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

#[event(topic = "conformance-agree", key = key, crate = crate::conformance::listed)]
pub(crate) struct Questioned {
    pub(crate) key: String,
}
#[event(topic = "conformance-agree-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Replied {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) flow: String,
    pub(crate) source: String,
}

#[handler(service = "conformance-agree", crate = crate::conformance::listed)]
async fn tell(question: Questioned, meta: Meta) -> Replied {
    Replied {
        key: question.key,
        id: meta.id,
        flow: meta.correlation_id,
        source: meta.source,
    }
}

/// Routing, dedupe, `Meta` and the causation of emissions read headers alike: the last that is not null counts, and an id
/// that is empty or no text is none, so that records which share nothing else are not taken for duplicates.
pub async fn all_read_headers_alike<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-agree", 1).await;
    stage.topic("conformance-agree-out", 1).await;
    let ids: [(&str, &[Option<&[u8]>]); 7] = [
        ("null", &[Some(b"x"), Some(b"one"), None]),
        ("again", &[Some(b"one"), None]),
        ("bad", &[Some(b"two"), Some(b"\xff")]),
        ("worse", &[Some(b"\xff")]),
        ("empty", &[Some(b"")]),
        ("void", &[Some(b"")]),
        ("flow", &[Some(b"three")]),
    ];
    for (key, values) in ids {
        let mut record = Outgoing::new(stage.name);
        record
            .set_key(key.as_bytes())
            .set_value(format!(r#"{{"key":"{key}"}}"#).as_bytes());
        for (name, value) in [(header::TYPE, "Questioned"), (header::SOURCE, "shop")] {
            record.add_header(name, value);
            record.add_raw_header(name.as_bytes(), None);
        }
        for value in values {
            record.add_raw_header(header::ID.as_bytes(), *value);
        }
        record.add_raw_header(
            header::CORRELATION_ID.as_bytes(),
            if key == "flow" {
                Some(b"\xff")
            } else {
                Some(b"")
            },
        );
        stage.produce(record).await;
    }
    let running = stage.start().await;
    stage.committed_once(7).await;
    status_once(&running, "one is a duplicate", |status| {
        status.lanes[0].duplicates == 1
    })
    .await;
    running.shutdown().await;
    let told = stage.read("conformance-agree-out").await;
    let mut seen = Vec::new();
    for record in &told {
        let told = record.decode::<Replied>().expect("it was told");
        let caused = |name| record.header_text(name).unwrap_or_default();
        assert_eq!(caused(header::CAUSATION_ID), told.id, "{}", told.key);
        assert_eq!(caused(header::CORRELATION_ID), told.flow, "{}", told.key);
        assert_eq!(
            (&*told.source, &told.flow),
            ("shop", &told.id),
            "{}",
            told.key
        );
        seen.push((told.key, told.id));
    }
    seen.sort();
    let here = |offset| format!("conformance-agree/0/{offset}");
    let expected = [
        ("bad", here(2)),
        ("empty", here(4)),
        ("flow", "three".to_owned()),
        ("null", "one".to_owned()),
        ("void", here(5)),
        ("worse", here(3)),
    ];
    assert_eq!(seen, expected.map(|(key, id)| (key.to_owned(), id)));
    Verdict::Held
}

#[event(topic = "conformance-future", key = key, crate = crate::conformance::listed)]
pub(crate) struct Evolving {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-future", crate = crate::conformance::listed)]
async fn take_evolving(event: Evolving, meta: Meta, probe: State<Probe>) {
    probe.note(format!("{} v{}", event.seq, meta.version));
}

/// A record of a later version is read if it can be; if not, its dead letter says which version it has.
pub async fn later_versions_are_read_if_they_can_be<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-future", 1).await;
    let versioned = |value: &[u8]| {
        let mut record = Outgoing::new("conformance-future");
        record
            .set_key(b"a")
            .set_value(value)
            .add_header(header::TYPE, "Evolving")
            .add_header(header::EVENT_VERSION, "7");
        record
    };
    stage
        .produce(versioned(br#"{"key":"a","seq":1,"added":true}"#))
        .await;
    stage.produce(versioned(br#"{"key":"a","number":2}"#)).await;
    let running = stage.start().await;
    stage.committed_once(2).await;
    let letters = stage.letters_once(1).await;
    let status = running.status().await;
    let handler = &status.handlers[0];
    // What could not be read is in the dead letters, and counted there.
    assert_eq!(
        (handler.later_versions, handler.latest_version),
        (1, Some(7))
    );
    running.shutdown().await;
    assert_eq!(stage.probe.notes(), ["1 v7"]);
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(
        error.contains("version 7") && error.contains("seq"),
        "{error}"
    );
    Verdict::Held
}

subject!(Mangled, take_mangled, "conformance-mangled");

/// Values that are no events are dead-lettered each with its cause; good ones between them are handled.
pub async fn mangled_values_are_dead_lettered<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-mangled", 1).await;
    let deep = "[".repeat(100_000);
    let values: [&[u8]; 9] = [
        b"",
        b"null",
        b"[]",
        b"{\"key\":\"a\"",
        b"{\"key\":\"a\",\"seq\":-1}",
        b"{\"key\":\"a\",\"seq\":99999999999999999999999}",
        b"{\"key\":\"\xff\",\"seq\":1}",
        b"\x00\x01\x02\x03\x04\x05",
        deep.as_bytes(),
    ];
    for value in values {
        let mut record = record_of(&Mangled::new("a", 0), &format!("{}", value.len()));
        record.set_value(value);
        stage.produce(record).await;
    }
    stage.send::<Mangled>("a", 9).await;
    let running = stage.start().await;
    let letters = stage.letters_once(values.len()).await;
    stage.committed_once(10).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("take_mangled"), pairs(&[("a", 9)]));
    for (dead, value) in letters.iter().zip(values) {
        assert_eq!(dead.record.value(), Some(value));
        let error = dead.header_text(letter::ERROR).unwrap_or_default();
        assert!(error.contains("caused by: "), "{error}");
    }
    Verdict::Held
}
