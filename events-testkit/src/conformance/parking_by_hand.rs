//! What people do to parked records and dead letters: they append an action, and the owning lane acts.

use std::time::Duration;

use events_core::{Outgoing, Park};
use events_runtime::{dead_letter_header as letter, parked_header as name};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::parking::{LACKING, facts};
use super::probe::Step;
use super::stage::{Stage, Subject, WHILE, pairs, record_of, status_once};
use crate::received::Received;
use crate::{eventually, throughout};

/// An action about a key, as a command line writes it.
pub(super) fn action<C: Cluster>(
    stage: &Stage<'_, C>,
    handler: &str,
    action: &str,
    key: &str,
) -> Outgoing {
    let mut fact = Outgoing::new(stage.parked_topic());
    fact.partition = Some(0);
    fact.set_key(key.as_bytes());
    fact.add_header(name::FACT, "action");
    fact.add_header(name::ACTION, action);
    fact.add_header(name::HANDLER, format!("{}/{handler}", stage.name));
    fact.add_header(name::REASON, "the shelf is repaired");
    fact.add_header(name::ACTOR, "jo");
    fact
}

/// The redrive of an event that handler had given up.
pub(super) fn redrive<C: Cluster, E: Subject>(
    stage: &Stage<'_, C>,
    handler: &str,
    key: &str,
    seq: u64,
    id: &str,
) -> Outgoing {
    let mut fact = action(stage, handler, "redrive", key);
    let event = record_of(&E::new(key, seq), &format!("{key}-{seq}"));
    fact.set_value(event.value().unwrap_or_default());
    for (header, value) in event.headers() {
        fact.add_raw_header(header, value);
    }
    fact.add_header(name::REDRIVE, id);
    fact.add_header(name::OFFSET, "0");
    fact
}

pub(super) fn resolutions<'a>(log: &'a [Received]) -> impl Iterator<Item = String> + 'a {
    log.iter()
        .filter(|record| record.header_text(letter::FACT).as_deref() == Some("resolution"))
        .map(|record| {
            let told = |header| record.header_text(header).unwrap_or_default();
            format!("{} {}", told(letter::OF), told(letter::RESOLUTION))
        })
}

subject!(Given, redo, "conformance-redrive");
reader!(Given, leave_alone, "conformance-redrive");

/// A redriven record runs in that handler alone; a second redrive of it does nothing; the dead letter is marked.
pub async fn a_redriven_record_reaches_its_handler_alone_and_once<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-redrive", 1).await;
    stage.park(1).await;
    stage
        .probe
        .script("redo", "a", 0, [Step::Terminal("broken")]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Given>("a", 0).await;
    stage.letters_once(1).await;
    stage.committed_once(1).await;
    let id = "conformance-redrive.dead-letters/0/0";
    for _ in 0..2 {
        let fact = redrive::<C, Given>(&stage, "redo", "a", 0, id);
        stage.produce(fact).await;
    }
    eventually("the dead letter is marked", async || {
        resolutions(&stage.letters().await).count() == 1
    })
    .await;
    eventually("it is done in the log", async || {
        facts(&stage.read(&stage.parked_topic()).await, "done").count() == 1
    })
    .await;
    let fact = redrive::<C, Given>(&stage, "redo", "a", 0, id);
    stage.produce(fact).await;
    throughout("a second redrive does nothing", WHILE, async || {
        stage.probe.attempts("redo", "a", 0) == 2
    })
    .await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("redo"), pairs(&[("a", 0)]));
    assert_eq!(stage.probe.attempts("leave_alone", "a", 0), 1);
    let marks: Vec<_> = resolutions(&stage.letters().await).collect();
    assert_eq!(marks, [format!("{id} redriven")]);
    Verdict::Held
}

subject!(Queued, queue, "conformance-redrive-behind");

/// A redriven record goes behind what is parked of its key, and what comes later goes behind it.
pub async fn a_redriven_record_goes_behind_what_is_parked<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-redrive-behind", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("queue", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Queued>("a", 0).await;
    stage.send::<Queued>("a", 1).await;
    stage.committed_once(2).await;
    stage
        .produce(redrive::<C, Queued>(&stage, "queue", "a", 50, "dead/0/7"))
        .await;
    status_once(&running, "the redriven record waits", |status| {
        status.lanes[0].parked_records == 3
    })
    .await;
    stage.send::<Queued>("a", 2).await;
    stage.committed_once(3).await;
    stage.probe.open("now");
    stage.done_once("queue", 4).await;
    running.shutdown().await;
    let expected = pairs(&[("a", 0), ("a", 1), ("a", 50), ("a", 2)]);
    assert_eq!(stage.probe.done("queue"), expected);
    Verdict::Held
}

/// Parks `a` for hours behind a record that fails until "now".
pub(super) async fn parked_for_hours<C: Cluster, E: Subject>(
    stage: &Stage<'_, C>,
    handler: &str,
) -> (C::Running, i64) {
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script(handler, "a", 0, [fails]);
    let service = stage.parking_service().configure(|settings| {
        settings.park = Some(Park {
            min: Duration::from_secs(7200),
            max: Duration::from_secs(7200),
            ..Park::DEFAULT
        });
    });
    let running = stage.start_with(service).await;
    for seq in 0..3 {
        stage.send::<E>("a", seq).await;
    }
    stage.committed_once(3).await;
    status_once(&running, "three are parked", |status| {
        status.lanes[0].parked_records == 3
    })
    .await;
    let log = stage.read(&stage.parked_topic()).await;
    let head = facts(&log, "parked").next().expect("a-0 is parked").offset;
    (running, head)
}

subject!(Dropped, discard, "conformance-discard");

/// A discarded record is neither run nor dead-lettered; its key goes on, and the log says who wanted it and why.
pub async fn a_discarded_record_is_gone<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-discard", 1).await;
    let (running, head) = parked_for_hours::<C, Dropped>(&stage, "discard").await;
    let mut fact = action(&stage, "discard", "discard", "a");
    fact.add_header(name::AT, head.to_string());
    stage.produce(fact).await;
    stage.done_once("discard", 2).await;
    status_once(&running, "nothing is parked", |status| {
        status.lanes[0].parked_records == 0
    })
    .await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("discard"), pairs(&[("a", 1), ("a", 2)]));
    assert!(stage.letters().await.is_empty());
    let log = stage.read(&stage.parked_topic()).await;
    let reason = facts(&log, "done").find_map(|fact| fact.header_text(name::REASON));
    assert_eq!(
        reason.as_deref(),
        Some("discarded by jo: the shelf is repaired")
    );
    Verdict::Held
}

subject!(Hurried, hurry, "conformance-retry-now");

/// A key that waits for hours is tried at once when somebody asks.
pub async fn a_key_can_be_tried_at_once<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-retry-now", 1).await;
    let (running, _) = parked_for_hours::<C, Hurried>(&stage, "hurry").await;
    stage.probe.open("now");
    throughout("it waits", WHILE, async || {
        stage.probe.done("hurry").is_empty()
    })
    .await;
    stage
        .produce(action(&stage, "hurry", "retry-now", "a"))
        .await;
    stage.done_once("hurry", 3).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.done("hurry"),
        pairs(&[("a", 0), ("a", 1), ("a", 2)])
    );
    Verdict::Held
}

subject!(Skipped, skip, "conformance-skip-head");

/// A skipped head goes to the dead letters with its error and who skipped it; its key goes on. Only the head can be.
pub async fn a_head_can_be_skipped<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-skip-head", 1).await;
    let (running, head) = parked_for_hours::<C, Skipped>(&stage, "skip").await;
    for at in [head + 1, head] {
        let mut fact = action(&stage, "skip", "skip-head", "a");
        fact.add_header(name::AT, at.to_string());
        stage.produce(fact).await;
    }
    let letters = stage.letters_once(1).await;
    stage.done_once("skip", 2).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("skip"), pairs(&[("a", 1), ("a", 2)]));
    let told = |header: &str| letters[0].header_text(header).unwrap_or_default();
    assert_eq!(
        (
            told(letter::OFFSET).as_str(),
            told(letter::ATTEMPTS).as_str()
        ),
        ("0", "2")
    );
    let error = told(letter::ERROR);
    assert!(
        error.contains("skipped by jo") && error.contains("now"),
        "{error}"
    );
    Verdict::Held
}

subject!(Paused, stand, "conformance-parked-paused");

/// While its handler is paused a later record of a parked key is parked behind it, and so done for the source.
pub async fn a_paused_handler_parks_behind_a_parked_key<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-paused", 1).await;
    stage.park(1).await;
    let fails = Step::FailAlways("for ever");
    stage.probe.script("stand", "a", 0, [fails]);
    // So that the slot is not woken by what is parked.
    let long = Duration::from_secs(3_600);
    let service = stage.parking_service().configure(|settings| {
        settings.park = Some(Park {
            min: long,
            max: long,
            max_age: 24 * long,
        });
    });
    let running = stage.start_with(service).await;
    stage.send::<Paused>("a", 0).await;
    stage.committed_once(1).await;
    assert!(running.pause("stand"));
    stage.send::<Paused>("a", 1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 2);
    Verdict::Held
}

subject!(Anew, renew, "conformance-parked-anew");

/// The highest number of a claim that counts.
const HIGHEST_CLAIM: i64 = (1 << 52) | i32::MAX as i64;

/// A claim that none can outrank, such as a forged one of the last incarnation that counts: the lane says so, and takes the log
/// over, with what is parked in it, when somebody gives that claim up.
pub async fn a_claim_that_none_outranks_is_given_up_by_hand<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-anew", 1).await;
    stage.park(1).await;
    let gone = "00000000deadbeef";
    let fact = |kind: &str, token: &str| {
        let mut fact = Outgoing::new(stage.parked_topic());
        fact.partition = Some(0);
        fact.set_key(b"a").set_value(b"");
        fact.add_header(name::FACT, kind);
        fact.add_header(name::TOKEN, token);
        fact
    };
    let mut claim = fact("claim", gone);
    claim.add_header(name::GENERATION, HIGHEST_CLAIM.to_string());
    stage.produce(claim).await;
    let mut parked = fact("parked", gone);
    let event = record_of(&Anew::new("a", 0), "a-0");
    parked.set_value(event.value().unwrap_or_default());
    for (header, value) in event.headers() {
        parked.add_raw_header(header, value);
    }
    parked.add_header(name::HANDLER, "conformance-parked-anew/renew");
    parked.add_header(name::OFFSET, "0");
    stage.send::<Anew>("a", 0).await;
    let timestamp = stage.read(stage.name).await[0].timestamp;
    parked.add_header(name::TIMESTAMP, timestamp.to_string());
    stage.produce(parked).await;
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "the lane says what to do", |status| {
        let lane = status.lanes.first();
        let holding = lane.and_then(|lane| lane.holding.as_deref());
        holding.unwrap_or_default().contains(&format!(
            "`parked take-over --force --topic {}`",
            stage.parked_topic()
        ))
    })
    .await;
    // Of a claim that is not in force nothing is given up.
    for token in ["00000000cafecafe", gone] {
        throughout("nothing is taken", WHILE, async || {
            stage.probe.began("renew").is_empty()
        })
        .await;
        let mut given_up = fact("action", token);
        given_up.add_header(name::ACTION, "take-over");
        stage.produce(given_up).await;
    }
    stage.send::<Anew>("a", 1).await;
    stage.done_once("renew", 2).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Anew>("a", 2).await;
    stage.done_once("renew", 3).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.done("renew"),
        pairs(&[("a", 0), ("a", 1), ("a", 2)])
    );
    Verdict::Held
}
