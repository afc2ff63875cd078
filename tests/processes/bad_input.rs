//! What becomes of records that no well-behaved producer writes: skipped, handled or dead-lettered, and the lane goes on.

use std::collections::BTreeMap;

use end_to_end_tests::{What, bad_input, untyped};

use crate::cluster::Cluster;
use crate::produce::Entry;
use crate::scene::Scene;
use crate::wire::{RawRecord, produce};

/// What becomes of a record.
enum Expected {
    Handled,
    Skipped,
    /// Dead-lettered at the first attempt, with this in its error.
    DeadLetter(&'static str),
}

use Expected::{DeadLetter, Handled, Skipped};

fn cases(scene: &Scene) -> Vec<(&'static str, Entry, Expected)> {
    let task = || scene.task("some");
    let plain = |name| task().without(name);
    let event = scene.stage.event.as_bytes();
    vec![
        (
            "no type on a topic without a default",
            plain("ce_type"),
            Skipped,
        ),
        (
            "no headers at all",
            Entry {
                headers: vec![],
                ..task()
            },
            Skipped,
        ),
        (
            "an unknown type",
            plain("ce_type").with("ce_type", Some(b"Stranger")),
            Skipped,
        ),
        (
            "an unknown type and no JSON",
            plain("ce_type")
                .with("ce_type", Some(b"Stranger"))
                .valued(Some(b"{")),
            Skipped,
        ),
        (
            "a type that is not UTF-8",
            plain("ce_type").with("ce_type", Some(b"\xff\xfe")),
            Skipped,
        ),
        (
            "a null type",
            plain("ce_type").with("ce_type", None),
            Skipped,
        ),
        (
            "a type with a zero in it",
            plain("ce_type").with("ce_type", Some(b"Bad\0Input")),
            Skipped,
        ),
        (
            "two types, the last is unknown",
            task().with("ce_type", Some(b"Stranger")),
            Skipped,
        ),
        (
            "two types, the last is known",
            plain("ce_type")
                .with("ce_type", Some(b"Stranger"))
                .with("ce_type", Some(event)),
            Handled,
        ),
        (
            "an id that is not UTF-8",
            plain("ce_id").with("ce_id", Some(b"\xc3\x28")),
            Handled,
        ),
        ("no id", plain("ce_id"), Handled),
        ("a null id", plain("ce_id").with("ce_id", None), Handled),
        ("two ids", task().with("ce_id", Some(b"another")), Handled),
        ("no source", plain("ce_source"), Handled),
        ("a null custom header", task().with("tenant", None), Handled),
        (
            "an empty header name",
            task().with("", Some(b"nameless")),
            Handled,
        ),
        (
            "hops that are no number",
            task().with("ce_hops", Some(b"-1")),
            Handled,
        ),
        (
            "a trace context that is none",
            task().with("traceparent", Some(b"\xff")),
            Handled,
        ),
        (
            "a declared length of 100 MB",
            task().with("content-length", Some(b"104857600")),
            Handled,
        ),
        (
            "a header of 200 KB",
            task().with("large", Some(&[b'x'; 200_000])),
            Handled,
        ),
        (
            "300 headers",
            (0..300).fold(task(), |task, _| task.with("same", Some(b"again"))),
            Handled,
        ),
        (
            "a version from the future",
            task().with("ce_eventversion", Some(b"99")),
            Handled,
        ),
        (
            "a version that is no number",
            task().with("ce_eventversion", Some(b"two")),
            Handled,
        ),
        (
            "a version beyond all bounds",
            task().with("ce_eventversion", Some(b"99999999999999999999")),
            Handled,
        ),
        ("no key", task().keyed(None), Handled),
        (
            "a key that is not UTF-8",
            task().keyed(Some(b"\xff\x00")),
            Handled,
        ),
        ("a tombstone", task().valued(None), Skipped),
        (
            "an empty value",
            task().valued(Some(b"")),
            DeadLetter("EOF while parsing"),
        ),
        (
            "truncated JSON",
            task().valued(Some(br#"{"key":"so"#)),
            DeadLetter("EOF while parsing"),
        ),
        (
            "a value that is not UTF-8",
            task().valued(Some(b"{\"key\":\"\xff\"}")),
            DeadLetter("invalid unicode code point"),
        ),
        (
            "another shape",
            task().valued(Some(br#"{"keys":1}"#)),
            DeadLetter("missing field `key`"),
        ),
        (
            "nesting without end",
            task().valued(Some(&[&br#"{"more":"#[..], &[b'['; 100_000]].concat())),
            DeadLetter(""),
        ),
        (
            "a version from the future in another shape",
            task()
                .with("ce_eventversion", Some(b"99"))
                .valued(Some(b"{}")),
            DeadLetter("99"),
        ),
    ]
}

#[test]
fn bad_input_is_skipped_handled_or_dead_lettered() {
    let scene = Scene::new(bad_input::STAGE, 1);
    let worker = scene.worker(|_| {});
    let cases = cases(&scene);
    let entries: Vec<_> = cases.iter().map(|(_, entry, _)| entry.clone()).collect();
    let offsets = scene.publish(&entries);
    let strange = not_text(&scene);
    scene.publish(&[scene.task("after")]);
    scene.await_line(
        What::End,
        "a good record behind the bad ones is done",
        |line| line.key == "after",
    );
    scene.await_all_done();
    worker.stop().drained();

    let handled: Vec<i64> = scene
        .work(What::End)
        .iter()
        .map(|line| line.offset)
        .collect();
    let letters: BTreeMap<i64, _> = scene
        .dead_letters()
        .into_iter()
        .map(|letter| (letter.header("dl_offset").parse().unwrap_or(-1), letter))
        .collect();
    for ((name, entry, expected), offset) in cases.iter().zip(&offsets) {
        let (times, letter) = (
            handled.iter().filter(|known| *known == offset).count(),
            letters.get(offset),
        );
        match expected {
            Handled => assert!(
                times == 1 && letter.is_none(),
                "{name}: handled {times} times, {letter:?}"
            ),
            Skipped => assert!(
                times == 0 && letter.is_none(),
                "{name}: handled {times} times, {letter:?}"
            ),
            DeadLetter(cause) => {
                let letter = letter.unwrap_or_else(|| panic!("{name}: no dead letter"));
                assert_eq!(times, 0, "{name}");
                assert!(
                    letter.header("dl_error").contains(cause),
                    "{name}: {}",
                    letter.header("dl_error")
                );
                assert_eq!(letter.header("dl_attempts"), "1", "{name}");
                assert_eq!(
                    (&letter.key, &letter.value),
                    (&entry.key, &entry.value),
                    "{name}"
                );
            }
        }
    }
    assert!(
        handled.contains(&strange.handled),
        "header names that are not UTF-8 are handled"
    );
    let letter = &letters[&strange.dead_letter];
    assert_eq!(
        letter.header("tenant"),
        "acme",
        "a dead letter keeps what it can of strange headers"
    );
    assert_eq!(
        handled.len(),
        2 + cases
            .iter()
            .filter(|(.., expected)| matches!(expected, Handled))
            .count()
    );
    assert_eq!(
        letters.len(),
        1 + cases
            .iter()
            .filter(|(.., expected)| matches!(expected, DeadLetter(_)))
            .count()
    );
}

/// Where the records with strange header names stand.
struct Strange {
    handled: i64,
    dead_letter: i64,
}

/// No client library writes header names that are not UTF-8, so these records are written by hand.
fn not_text(scene: &Scene) -> Strange {
    let event = scene.stage.event.as_bytes();
    let headers: &[(&[u8], Option<&[u8]>)] = &[
        (b"\xff\xfe", Some(b"not text")),
        (b"\x80", None),
        (b"ce_type", Some(event)),
        (b"ce_id", Some(b"strange-1")),
        (b"ce_source", Some(b"by hand")),
        (b"tenant", Some(b"acme")),
        (b"ce_id\xff", Some(b"not the id")),
    ];
    let write = |value| {
        let record = RawRecord {
            key: Some(b"strange"),
            value: Some(value),
            headers,
        };
        // Of several brokers the one that leads the partition takes it; the others refuse.
        produce(Cluster::shared().address(), scene.stage.topic, 0, &record)
            .expect("the cluster answers")
    };
    let handled = write(br#"{"key":"strange"}"#);
    // The same id in the same source is a duplicate, which is told apart before it is decoded.
    let duplicate = write(b"{");
    assert!(duplicate > handled);
    let headers: &[(&[u8], Option<&[u8]>)] = &[
        (b"ce_type", Some(event)),
        (b"\xff", Some(b"\xff")),
        (b"tenant", Some(b"acme")),
        (b"", None),
    ];
    let record = RawRecord {
        key: Some(b"strange"),
        value: Some(b"{"),
        headers,
    };
    let dead_letter = produce(Cluster::shared().address(), scene.stage.topic, 0, &record)
        .expect("the cluster answers");
    Strange {
        handled,
        dead_letter,
    }
}

/// A topic's default type takes records without one, and a type that is named still counts.
#[test]
fn records_without_a_type_are_of_the_topics_default_type() {
    let scene = Scene::new(untyped::STAGE, 1);
    let task = || scene.task("some");
    let offsets = scene.publish(&[
        task(),
        task().without("ce_type"),
        Entry {
            headers: vec![],
            ..task()
        },
        task().with("ce_type", None),
        task().with("ce_type", Some(b"Stranger")),
        task().without("ce_type").valued(None),
        Entry {
            headers: vec![],
            ..task()
        }
        .valued(Some(b"no JSON")),
    ]);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let handled: Vec<_> = scene
        .work(What::End)
        .iter()
        .map(|line| line.offset)
        .collect();
    assert_eq!(handled, offsets[..4]);
    let letters = scene.dead_letters();
    let letters: Vec<_> = letters
        .iter()
        .map(|letter| letter.header("dl_offset"))
        .collect();
    assert_eq!(letters, [offsets[6].to_string()]);
}
