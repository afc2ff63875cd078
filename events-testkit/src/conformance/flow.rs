//! Records are handled, and what handlers return is published.

use events_core::{OneOf, Publisher, Result, State, event, handler, header};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::probe::{Probe, Step};
use super::stage::{SOURCE, Stage, TICK, WHILE, pairs, record_of};
use crate::{eventually, throughout};

subject!(Counted, count, "conformance-once");

/// Every record of every partition is handled once, and committed (D1).
pub async fn every_record_is_handled_once<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-once", 3).await;
    for seq in 0..30 {
        stage.send::<Counted>(&format!("k{}", seq % 10), seq).await;
    }
    let running = stage.start().await;
    stage.done_once("count", 30).await;
    stage.committed_once(30).await;
    stage.send::<Counted>("k1", 30).await;
    stage.done_once("count", 31).await;
    assert!(running.shutdown().await.drained);
    let mut numbers: Vec<_> = stage
        .probe
        .began("count")
        .into_iter()
        .map(|(_, seq)| seq)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..31).collect::<Vec<_>>());
    assert_eq!(stage.committed().await, 31, "the drain commits");
    Verdict::Held
}

#[event(topic = "conformance-envelope", key = key, crate = crate::conformance::listed)]
pub(crate) struct Asked {
    pub(crate) key: String,
}

#[event(topic = "conformance-envelope-out", key = key, version = 3, crate = crate::conformance::listed)]
pub(crate) struct Answered {
    pub(crate) key: String,
    pub(crate) text: String,
}

#[handler(service = "conformance-envelope", crate = crate::conformance::listed)]
async fn answer(asked: Asked) -> Vec<Answered> {
    let answered = |text: &str| Answered {
        key: asked.key.clone(),
        text: text.to_owned(),
    };
    vec![answered("first"), answered("second")]
}

/// What a handler returns is published in its order, with stable ids (D4), and says where it comes from.
pub async fn emissions_carry_the_envelope<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-envelope", 1).await;
    stage.topic("conformance-envelope-out", 1).await;
    let running = stage.start().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut record = record_of(&Asked { key: "o-1".into() }, "golden-1");
    record.add_header(header::CORRELATION_ID, "flow-1");
    record.add_header(header::HOPS, "2");
    record.add_header(header::TRACE_PARENT, trace);
    record.add_header(header::TRACE_STATE, "vendor=1");
    stage.produce(record).await;
    eventually("both answers are published", async || {
        stage.read("conformance-envelope-out").await.len() == 2
    })
    .await;
    stage.committed_once(1).await;
    running.shutdown().await;
    let answers = stage.read("conformance-envelope-out").await;
    let texts: Vec<_> = answers
        .iter()
        .map(|answer| answer.decode::<Answered>().expect("an answer").text)
        .collect();
    assert_eq!(texts, ["first", "second"]);
    let golden = [
        "222f3413-0c65-5919-9b42-ae992822d1a4",
        "63a72127-d06e-5a0c-a7ba-588eee181626",
    ];
    for (answer, id) in answers.iter().zip(golden) {
        assert_eq!(answer.key_text().as_deref(), Some("o-1"));
        let expected = [
            (header::SPEC_VERSION, "1.0"),
            (header::ID, id),
            (header::SOURCE, "conformance-envelope"),
            (header::TYPE, "Answered"),
            (header::EVENT_VERSION, "3"),
            (header::CONTENT_TYPE, "application/json"),
            (header::CORRELATION_ID, "flow-1"),
            (header::CAUSATION_ID, "golden-1"),
            (header::HOPS, "3"),
            (header::TRACE_PARENT, trace),
            (header::TRACE_STATE, "vendor=1"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header_text(name).as_deref(), Some(value), "{name}");
        }
        assert!(answer.header_text(header::TIME).is_some());
    }
    Verdict::Held
}

#[event(topic = "conformance-one-of", key = key, crate = crate::conformance::listed)]
pub(crate) struct Opened {
    pub(crate) key: String,
}
#[event(topic = "conformance-one-of", key = key, crate = crate::conformance::listed)]
pub(crate) struct Closed {
    pub(crate) key: String,
}
/// No handler takes it.
#[event(topic = "conformance-one-of", key = key, crate = crate::conformance::listed)]
pub(crate) struct Ignored {
    pub(crate) key: String,
}

#[derive(OneOf)]
#[one_of(crate = crate::conformance::listed)]
enum Change {
    Opened(Opened),
    Closed(Closed),
}

#[handler(service = "conformance-one-of", crate = crate::conformance::listed)]
async fn follow(change: Change, probe: State<Probe>) {
    probe.note(match change {
        Change::Opened(event) => format!("opened {}", event.key),
        Change::Closed(event) => format!("closed {}", event.key),
    });
}

/// A handler of several types gets each as itself, in one order; types that nobody takes are skipped.
pub async fn one_of_several_types_is_taken<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-one-of", 1).await;
    let key = || "a".to_owned();
    stage.produce(record_of(&Opened { key: key() }, "1")).await;
    stage.produce(record_of(&Ignored { key: key() }, "2")).await;
    stage.produce(record_of(&Closed { key: key() }, "3")).await;
    stage.produce(record_of(&Opened { key: key() }, "4")).await;
    let running = stage.start().await;
    stage.committed_once(4).await;
    assert_eq!(stage.probe.notes(), ["opened a", "closed a", "opened a"]);
    assert!(stage.letters().await.is_empty());
    running.shutdown().await;
    Verdict::Held
}

#[event(topic = "conformance-publisher", key = key, crate = crate::conformance::listed)]
pub(crate) struct Wished {
    pub(crate) key: String,
}
#[event(topic = "conformance-publisher-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Granted {
    pub(crate) key: String,
    pub(crate) by: String,
}

#[handler(service = "conformance-publisher", emits(Granted), crate = crate::conformance::listed)]
async fn grant(wish: Wished, publisher: Publisher, probe: State<Probe>) -> Result<Granted> {
    let granted = |by: &str| Granted {
        key: wish.key.clone(),
        by: by.to_owned(),
    };
    publisher.publish(&granted("hand"))?;
    probe.attempt("grant", &wish.key, 0).await?;
    Ok(granted("return"))
}

/// What is published by hand belongs to the attempt: a failed one publishes nothing, and the record is done only with it.
pub async fn the_publisher_belongs_to_the_attempt<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-publisher", 1).await;
    stage.topic("conformance-publisher-out", 1).await;
    stage.probe.script("grant", "a", 0, [Step::Fail("not yet")]);
    let running = stage.start().await;
    stage
        .produce(record_of(&Wished { key: "a".into() }, "wish"))
        .await;
    stage.committed_once(1).await;
    running.shutdown().await;
    let granted = stage.read("conformance-publisher-out").await;
    let by: Vec<_> = granted
        .iter()
        .map(|record| record.decode::<Granted>().expect("granted").by)
        .collect();
    assert_eq!(
        by,
        ["return", "hand"],
        "the failed attempt published nothing"
    );
    assert!(
        granted
            .iter()
            .all(|record| record.header_text(header::CAUSATION_ID).as_deref() == Some("wish"))
    );
    assert_ne!(
        granted[0].header_text(header::ID),
        granted[1].header_text(header::ID)
    );
    Verdict::Held
}

#[event(topic = "conformance-undeclared", key = key, crate = crate::conformance::listed)]
pub(crate) struct Hint {
    pub(crate) key: String,
}
#[event(topic = "conformance-undeclared-out", name = "Rumour.v1", key = key, crate = crate::conformance::listed)]
pub(crate) struct Rumour {
    pub(crate) key: String,
}

#[handler(service = "conformance-undeclared", crate = crate::conformance::listed)]
async fn spread(hint: Hint, publisher: Publisher) -> Result<()> {
    publisher.publish(&Rumour { key: hint.key })
}

/// What a handler does not declare it cannot publish: topics, rights and cycles are checked by what is declared.
pub async fn an_undeclared_event_is_not_published<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-undeclared", 1).await;
    stage.topic("conformance-undeclared-out", 1).await;
    let running = stage.start().await;
    stage
        .produce(record_of(&Hint { key: "a".into() }, "hint"))
        .await;
    stage.committed_once(1).await;
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(
        error.contains("Rumour.v1") && error.contains("`emits(Rumour)`"),
        "{error}"
    );
    assert!(stage.read("conformance-undeclared-out").await.is_empty());
    Verdict::Held
}

#[event(topic = "conformance-blocking", key = key, crate = crate::conformance::listed)]
pub(crate) struct Heavy {
    pub(crate) key: String,
    pub(crate) seq: u64,
}
#[event(topic = "conformance-blocking-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Light {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-blocking", blocking, crate = crate::conformance::listed)]
fn lighten(heavy: Heavy, probe: State<Probe>) -> Result<Light> {
    probe.attempt_blocking("lighten", &heavy.key, heavy.seq)?;
    Ok(Light {
        key: heavy.key,
        seq: heavy.seq,
    })
}

/// A handler that blocks its thread keeps the order of its keys, is tried again, and publishes.
pub async fn a_blocking_handler_works<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-blocking", 1).await;
    stage.topic("conformance-blocking-out", 1).await;
    stage.probe.script(
        "lighten",
        "a",
        0,
        [Step::Fail("not yet"), Step::Panic("ouch")],
    );
    for seq in 0..6 {
        let key = if seq % 2 == 0 { "a" } else { "b" }.to_owned();
        stage
            .produce(record_of(&Heavy { key, seq }, &seq.to_string()))
            .await;
    }
    let running = stage.start().await;
    stage.committed_once(6).await;
    running.shutdown().await;
    stage.probe.assert_order("lighten");
    assert_eq!(stage.probe.attempts("lighten", "a", 0), 3);
    let light = stage.read("conformance-blocking-out").await;
    let of = |key: &str| -> Vec<u64> {
        let events = light
            .iter()
            .map(|record| record.decode::<Light>().expect("light"));
        events
            .filter(|event| event.key == key)
            .map(|event| event.seq)
            .collect()
    };
    assert_eq!((of("a"), of("b")), (vec![0, 2, 4], vec![1, 3, 5]));
    Verdict::Held
}

subject!(Shared, quick, "conformance-two");
reader!(Shared, slow, "conformance-two");

/// Two handlers of one topic go on at their own pace; what is committed is what both have done.
pub async fn handlers_progress_on_their_own<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-two", 1).await;
    stage
        .probe
        .script("slow", "a", 1, [Step::Gate("slow may go on")]);
    let running = stage.start().await;
    for seq in 0..5 {
        stage.send::<Shared>("a", seq).await;
    }
    stage.done_once("quick", 5).await;
    stage.begun_once("slow", "a", 1).await;
    stage.committed_once(1).await;
    throughout(
        "the slow handler holds the watermark",
        WHILE.max(TICK * 5),
        async || stage.committed().await == 1,
    )
    .await;
    stage.probe.open("slow may go on");
    stage.committed_once(5).await;
    running.shutdown().await;
    let all: Vec<_> = (0..5).map(|seq| ("a", seq)).collect();
    assert_eq!(stage.probe.done("quick"), pairs(&all));
    assert_eq!(stage.probe.done("slow"), pairs(&all));
    assert_eq!(
        SOURCE, "conformance",
        "ids above are pinned with this source"
    );
    Verdict::Held
}
