//! Errors are typed: tried again, or given up (D5).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events_core::header;
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::{Moment, Step};
use super::stage::{Stage, record_of, status_once};
use crate::eventually;

subject!(Shaky, retry, "conformance-retry");

/// An error is tried again, with time in between, until it succeeds; nothing is dead-lettered.
pub async fn errors_are_tried_again<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-retry", 1).await;
    stage
        .probe
        .script("retry", "a", 0, [Step::Fail("one"), Step::Fail("two")]);
    stage.send::<Shaky>("a", 0).await;
    let running = stage.start().await;
    stage.committed_once(1).await;
    assert_eq!(stage.probe.attempts("retry", "a", 0), 3);
    let status = running.status().await;
    assert_eq!(status.handlers[0].retried, 2, "{status:#?}");
    assert!(stage.letters().await.is_empty());
    running.shutdown().await;
    Verdict::Held
}

subject!(Doomed, exhaust, "conformance-exhausted");

/// A record that fails at every attempt goes to the dead letters whole, with where it stood and why; its key goes on.
pub async fn a_hopeless_record_is_dead_lettered<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-exhausted", 1).await;
    stage
        .probe
        .script("exhaust", "a", 0, [Step::FailAlways("the shelf is empty")]);
    let mut record = record_of(&<Doomed as super::stage::Subject>::new("a", 0), "doomed-0");
    record.add_header("tenant", "acme");
    let value = record.value().map(<[u8]>::to_vec);
    // An hour old.
    let timestamp = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .map(|now| now - 3_600_000);
    record.timestamp = timestamp;
    stage.produce(record).await;
    stage.send::<Doomed>("a", 1).await;
    let running = stage.start().await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(stage.probe.attempts("exhaust", "a", 0), 3);
    assert!(stage.probe.has_done("exhaust", "a", 1), "the key goes on");
    let dead = &letters[0];
    assert_eq!(dead.key_text().as_deref(), Some("a"));
    assert_eq!(dead.record.value().map(<[u8]>::to_vec), value);
    assert_eq!(Some(dead.timestamp), timestamp);
    let expected = [
        (header::ID, "doomed-0"),
        ("tenant", "acme"),
        (letter::KIND, "record"),
        (letter::TOPIC, "conformance-exhausted"),
        (letter::PARTITION, "0"),
        (letter::OFFSET, "0"),
        (letter::HANDLER, "conformance-exhausted/exhaust"),
        (letter::ATTEMPTS, "3"),
        (letter::ERROR, "the shelf is empty"),
    ];
    for (name, value) in expected {
        assert_eq!(dead.header_text(name).as_deref(), Some(value), "{name}");
    }
    Verdict::Held
}

subject!(Wrong, give_up, "conformance-terminal");

/// A terminal error is not tried again.
pub async fn a_terminal_error_is_given_up_at_once<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-terminal", 1).await;
    stage
        .probe
        .script("give_up", "a", 0, [Step::Terminal("no such article")]);
    stage.send::<Wrong>("a", 0).await;
    stage.send::<Wrong>("a", 1).await;
    let running = stage.start().await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(
        letters[0].header_text(letter::ATTEMPTS).as_deref(),
        Some("1")
    );
    assert_eq!(
        letters[0].header_text(letter::ERROR).as_deref(),
        Some("no such article")
    );
    assert_eq!(stage.probe.attempts("give_up", "a", 0), 1);
    Verdict::Held
}

subject!(Explosive, explode, "conformance-panic");

/// A panic is an error of its record alone.
pub async fn a_panic_is_an_error<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-panic", 1).await;
    stage.probe.script("explode", "a", 0, [Step::Panic("boom")]);
    stage.probe.script(
        "explode",
        "b",
        1,
        [
            Step::Panic("boom"),
            Step::Panic("boom"),
            Step::Panic("boom"),
        ],
    );
    stage.send::<Explosive>("a", 0).await;
    stage.send::<Explosive>("b", 1).await;
    stage.send::<Explosive>("a", 2).await;
    let running = stage.start().await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(3).await;
    running.shutdown().await;
    assert_eq!(stage.probe.attempts("explode", "a", 0), 2);
    assert_eq!(letters[0].key_text().as_deref(), Some("b"));
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(
        error.contains("panicked") && error.contains("boom"),
        "{error}"
    );
    Verdict::Held
}

subject!(Garbled, read_garbled, "conformance-garbled");

/// A value that is no event of its type cannot become one: it is dead-lettered at once, with the codec's reason.
pub async fn an_undecodable_record_is_given_up_at_once<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-garbled", 1).await;
    let mut record = record_of(&<Garbled as super::stage::Subject>::new("a", 0), "garbled");
    record.set_value(br#"{"key":"a","seq":"#);
    stage.produce(record).await;
    stage.send::<Garbled>("a", 1).await;
    let running = stage.start().await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(
        letters[0].record.value(),
        Some(&br#"{"key":"a","seq":"#[..])
    );
    assert_eq!(
        letters[0].header_text(letter::ATTEMPTS).as_deref(),
        Some("1")
    );
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(
        error.contains("conformance-garbled") && error.contains("caused by: EOF"),
        "{error}"
    );
    assert_eq!(
        stage.probe.began("read_garbled"),
        super::stage::pairs(&[("a", 1)])
    );
    Verdict::Held
}

subject!(Secret, keep_quiet, "conformance-error-texts");

/// Where the texts of errors may not be told, dead letters and status hold their code alone.
pub async fn texts_of_errors_may_be_kept_out<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-error-texts", 1).await;
    let text = "card 4711 was refused";
    stage
        .probe
        .script("keep_quiet", "a", 0, [Step::Terminal(text)]);
    stage
        .probe
        .script("keep_quiet", "b", 0, [Step::FailAlways(text)]);
    let mut garbled = record_of(&<Secret as super::stage::Subject>::new("c", 0), "garbled");
    garbled.set_value(br#"{"key":4711}"#);
    stage.send::<Secret>("a", 0).await;
    stage.send::<Secret>("b", 0).await;
    stage.produce(garbled).await;
    let service = stage.service().configure(|settings| {
        settings.error_texts = false;
        settings.retry.max = std::time::Duration::from_secs(2);
        settings.retry.min = settings.retry.max;
    });
    let running = stage.start_with(service).await;
    let status = super::stage::status_once(&running, "a key fails", |status| {
        status.lanes.iter().any(|lane| !lane.troubles.is_empty())
    })
    .await;
    assert_eq!(status.lanes[0].troubles[0].error, "error");
    let letters = stage.letters_once(3).await;
    running.shutdown().await;
    for dead in letters {
        let error = dead.header_text(letter::ERROR).unwrap_or_default();
        let code = if dead.key_text().as_deref() == Some("c") {
            "Malformed"
        } else {
            "error"
        };
        assert_eq!(error, code, "{dead:?}");
    }
    Verdict::Held
}

subject!(Stuck, time_out, "conformance-timeout", timeout = "100ms");

/// An attempt that takes too long is dropped before the next one begins.
pub async fn a_late_attempt_is_dropped_and_made_again<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-timeout", 1).await;
    stage.probe.script("time_out", "a", 0, [Step::Hang]);
    stage
        .probe
        .script("time_out", "b", 0, [Step::Hang, Step::Hang, Step::Hang]);
    stage.send::<Stuck>("a", 0).await;
    stage.send::<Stuck>("b", 0).await;
    let running = stage.start().await;
    eventually("the second attempt succeeds", async || {
        stage.probe.has_done("time_out", "a", 0)
    })
    .await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    let journal = stage.probe.journal();
    let moments: Vec<_> = journal
        .iter()
        .filter(|line| line.key == "a")
        .map(|line| line.moment)
        .collect();
    assert_eq!(
        moments,
        [
            Moment::Began,
            Moment::Dropped,
            Moment::Began,
            Moment::Succeeded
        ]
    );
    stage.probe.assert_order("time_out");
    assert_eq!(letters[0].key_text().as_deref(), Some("b"));
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(error.contains("time-out of 100ms"), "{error}");
    Verdict::Held
}

subject!(Patient, wait_long, "conformance-longest");

/// The longest times that settings may name are times like others, and no clock overflows. Longer ones are faults.
pub async fn the_longest_times_are_times<C: Cluster>(cluster: &C) -> Verdict {
    const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
    let stage = Stage::set(cluster, "conformance-longest", 1).await;
    stage.probe.script(
        "wait_long",
        "a",
        0,
        [Step::Gate("a may go on"), Step::Fail("once")],
    );
    stage
        .probe
        .script("wait_long", "b", 0, [Step::FailAlways("for ever")]);
    let service = stage.service().configure(|settings| {
        settings.timeout = LONGEST;
        settings.stall = LONGEST;
        settings.hold_max = LONGEST;
        settings.hold_probe = (LONGEST, LONGEST);
        settings.retry.min = LONGEST;
        settings.retry.max = LONGEST;
    });
    let running = stage.start_with(service).await;
    stage.send::<Patient>("a", 0).await;
    stage.begun_once("wait_long", "a", 0).await;
    stage.send::<Patient>("b", 0).await;
    stage.begun_once("wait_long", "b", 0).await;
    stage.probe.open("a may go on");
    stage.committed_once(1).await;
    let status = status_once(&running, "b waits", |status| {
        status.lanes.iter().any(|lane| !lane.troubles.is_empty())
    })
    .await;
    assert!(status.healthy, "{status:#?}");
    running.shutdown().await;
    let service = stage.service().configure(|settings| {
        settings.timeout = Duration::MAX;
        settings.drain = Duration::MAX;
    });
    let faults = service.plan().err().map(|faults| faults.to_string());
    let faults = faults.unwrap_or_default();
    for name in ["`timeout`", "`drain`"] {
        assert!(faults.contains(name), "{name}: {faults}");
    }
    Verdict::Held
}
