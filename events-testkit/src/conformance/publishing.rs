//! When publishing goes wrong.

use events_core::{Result, State, event, handler, header};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::probe::Probe;
use super::stage::{Stage, WHILE, record_of, status_once};
use crate::received::Received;
use crate::{eventually, throughout};

#[event(topic = "conformance-hops", key = key, crate = crate::conformance::listed)]
pub(crate) struct Echo {
    pub(crate) key: String,
}

#[handler(service = "conformance-hops", allow_cycle = "Echo", crate = crate::conformance::listed)]
async fn echo(echo: Echo, probe: State<Probe>) -> Result<Echo> {
    probe.attempt("echo", &echo.key, 0).await?;
    Ok(echo)
}

/// Events that go round in a circle end in the dead letters, with the path printed (D10).
pub async fn a_storm_ends_at_the_hop_limit<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-hops", 1).await;
    let service = stage.service().configure(|settings| settings.hop_limit = 4);
    let running = stage.start_with(service).await;
    stage
        .produce(record_of(&Echo { key: "a".into() }, "first"))
        .await;
    // The record that would be echoed once too often, and the echo that was not published.
    let letters = stage.letters_once(2).await;
    stage.committed_once(5).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("echo").len(),
        5,
        "the first and four echoes"
    );
    let hops: Vec<_> = stage
        .read(stage.name)
        .await
        .iter()
        .map(|echo| echo.header_text(header::HOPS))
        .collect();
    // Readers assume the 0, so it is not written.
    assert_eq!(
        hops,
        [None, Some("1"), Some("2"), Some("3"), Some("4")].map(|hops| hops.map(str::to_owned))
    );
    let kinds: Vec<_> = letters
        .iter()
        .filter_map(|dead| dead.header_text(letter::KIND))
        .collect();
    assert_eq!(kinds, ["record", "emission"]);
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(
        error.contains("limit of 4") && error.contains("Echo") && error.contains("echo"),
        "{error}"
    );
    Verdict::Held
}

#[event(topic = "conformance-refused", key = key, crate = crate::conformance::listed)]
pub(crate) struct Request {
    pub(crate) key: String,
}
#[event(topic = "conformance-refused-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Reply {
    pub(crate) key: String,
}

#[handler(service = "conformance-refused", crate = crate::conformance::listed)]
async fn reply(request: Request, probe: State<Probe>) -> Result<Reply> {
    probe.attempt("reply", &request.key, 0).await?;
    Ok(Reply { key: request.key })
}

/// A refusal that cannot heal dead-letters record and emission together, and never runs the handler again.
pub async fn a_refused_emission_is_dead_lettered_with_its_record<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-refused", 1).await;
    stage.topic("conformance-refused-out", 1).await;
    broker.refuse("conformance-refused-out", "no right to write");
    let running = stage.start().await;
    stage
        .produce(record_of(&Request { key: "a".into() }, "request"))
        .await;
    let letters = stage.letters_once(2).await;
    stage.committed_once(1).await;
    broker.accept("conformance-refused-out");
    stage
        .produce(record_of(&Request { key: "a".into() }, "later"))
        .await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("reply").len(), 2, "once for each request");
    assert_eq!(stage.read("conformance-refused-out").await.len(), 1);
    let types: Vec<_> = letters.iter().filter_map(Received::event_type).collect();
    assert_eq!(types, ["Request", "Reply"]);
    for dead in &letters {
        let error = dead.header_text(letter::ERROR).unwrap_or_default();
        assert!(
            error.contains("no right to write") && error.contains("conformance-refused-out"),
            "{error}"
        );
        assert_eq!(
            dead.header_text(letter::OFFSET).as_deref(),
            Some("0"),
            "both name the record"
        );
    }
    Verdict::Held
}

/// A dead letter that is refused holds its lane, is named, and goes out as soon as it may: nothing else may become of it.
pub async fn a_refused_dead_letter_waits<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-refused", 1).await;
    stage.topic("conformance-refused-out", 1).await;
    stage
        .probe
        .script("reply", "a", 0, [super::probe::Step::Terminal("never")]);
    broker.refuse("conformance-refused.dead-letters", "no such right");
    let running = stage.start().await;
    stage
        .produce(record_of(&Request { key: "a".into() }, "request"))
        .await;
    status_once(
        &running,
        "the status names the dead-letter topic",
        |status| {
            let holding = status
                .lanes
                .first()
                .and_then(|lane| lane.holding.as_deref());
            holding.is_some_and(|reason| reason.contains("conformance-refused.dead-letters"))
        },
    )
    .await;
    throughout("nothing is committed", WHILE, async || {
        stage.committed().await == 0
    })
    .await;
    broker.accept("conformance-refused.dead-letters");
    stage.letters_once(1).await;
    stage.committed_once(1).await;
    assert_eq!(stage.probe.began("reply").len(), 1);
    running.shutdown().await;
    Verdict::Held
}

#[event(topic = "conformance-lost", key = key, crate = crate::conformance::listed)]
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) seq: u64,
}
#[event(topic = "conformance-lost-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Answer {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-lost", crate = crate::conformance::listed)]
async fn respond(call: Call, probe: State<Probe>) -> Result<Answer> {
    probe.attempt("respond", &call.key, call.seq).await?;
    Ok(Answer {
        key: call.key,
        seq: call.seq,
    })
}

/// After a lost producer its emissions are sent again in their order; handlers are not run again, and ids are the same.
pub async fn emissions_are_sent_again_after_a_lost_producer<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to lose a producer");
    };
    let stage = Stage::set(cluster, "conformance-lost", 1).await;
    stage.topic("conformance-lost-out", 1).await;
    let running = stage.start().await;
    // First a producer that wrote nothing, then one that wrote all and could not say so.
    for (round, written) in [(0, false), (1, true)] {
        broker.hold_acks();
        if !written {
            broker.lose_producer(5, false);
        }
        for seq in 5 * round..5 * round + 5 {
            let call = Call {
                key: "a".into(),
                seq,
            };
            stage
                .produce(record_of(&call, &format!("call-{seq}")))
                .await;
        }
        eventually("five are enqueued", async || broker.held_acks() == 5).await;
        broker.lose_acks();
        stage
            .committed_once(5 * (i64::try_from(round).unwrap_or(0) + 1))
            .await;
    }
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("respond").len(),
        10,
        "no handler is run again"
    );
    let answers = stage.read("conformance-lost-out").await;
    let numbers: Vec<_> = answers
        .iter()
        .map(|answer| answer.decode::<Answer>().expect("an answer").seq)
        .collect();
    assert_eq!(
        numbers,
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 7, 8, 9],
        "in order; what was written comes twice"
    );
    let id = |index: usize| answers[index].header_text(header::ID);
    assert!(
        (5..10).all(|index| id(index) == id(index + 5)),
        "a reader can tell the copies by their ids"
    );
    Verdict::Held
}

/// A full client is waited for: nothing is lost and no order changes.
pub async fn a_full_queue_is_waited_for<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to fill a client's queue");
    };
    let stage = Stage::set(cluster, "conformance-lost", 1).await;
    stage.topic("conformance-lost-out", 1).await;
    broker.fill_queue(3);
    let running = stage.start().await;
    for seq in 0..5 {
        stage
            .produce(record_of(
                &Call {
                    key: "a".into(),
                    seq,
                },
                &format!("call-{seq}"),
            ))
            .await;
    }
    stage.committed_once(5).await;
    running.shutdown().await;
    let answers = stage.read("conformance-lost-out").await;
    let numbers: Vec<_> = answers
        .iter()
        .map(|answer| answer.decode::<Answer>().expect("an answer").seq)
        .collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    assert_eq!(stage.probe.began("respond").len(), 5);
    Verdict::Held
}
