//! What a group commits for its parked logs: from where on to read, and whose claim is in force there.

use std::time::Duration;

use events_core::Outgoing;
use events_runtime::{Position, TopicPartition, parked_header as name};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::LACKING;
use super::probe::Step;
use super::stage::{Stage, Subject, pairs, record_of, status_once};
use crate::eventually;

/// Parks a record of `a`, which succeeds at its next attempt, and waits until the hint has passed all of that.
async fn settled<C: Cluster, E: Subject>(
    stage: &Stage<'_, C>,
    handler: &str,
    commit_interval: Duration,
) -> (C::Running, (i64, String)) {
    stage.park(1).await;
    let fails = [Step::Fail("one"), Step::Fail("two")];
    stage.probe.script(handler, "a", 0, fails);
    let service = stage
        .parking_service()
        .configure(|settings| settings.commit_interval = commit_interval);
    let running = stage.start_with(service).await;
    stage.send::<E>("a", 0).await;
    stage.done_once(handler, 1).await;
    eventually("the hint is at the end", async || {
        let log = stage.read(&stage.parked_topic()).await;
        let end = log.last().map(|fact| fact.offset + 1);
        log.len() > 2 && stage.hint().await.map(|(offset, _)| offset) == end
    })
    .await;
    let hint = stage.hint().await.expect("a hint is committed");
    (running, hint)
}

subject!(Trimmed, trim, "conformance-parked-trim");

/// Once everything below the hint is deleted, the claim among it, what a zombie writes right behind it still does not
/// count: the claim in force was committed with the hint.
pub async fn a_claim_outlives_the_facts_that_were_deleted<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.retention) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-trim", 1).await;
    let tick = super::stage::TICK;
    let (running, (offset, _)) = settled::<C, Trimmed>(&stage, "trim", tick).await;
    running.shutdown().await;
    let log = TopicPartition::new(stage.parked_topic(), 0);
    let deleted = cluster.truncate(&log, offset).await;
    deleted.expect("the log can be trimmed");
    let mut ghost = Outgoing::new(stage.parked_topic());
    ghost.partition = Some(0);
    let event = record_of(&Trimmed::new("a", 77), "a-77");
    ghost
        .set_key(b"a")
        .set_value(event.value().unwrap_or_default());
    for (header, value) in event.headers() {
        ghost.add_raw_header(header, value);
    }
    ghost.add_header(name::FACT, "parked");
    ghost.add_header(name::TOKEN, "00000000deadbeef");
    ghost.add_header(name::HANDLER, "conformance-parked-trim/trim");
    ghost.add_header(name::OFFSET, "77");
    stage.produce(ghost).await;
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "the log is claimed", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_none())
    })
    .await;
    stage.send::<Trimmed>("a", 1).await;
    stage.done_once("trim", 2).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("trim"), pairs(&[("a", 0), ("a", 1)]));
    Verdict::Held
}

subject!(Idle, doze, "conformance-parked-idle");

/// Brokers forget after a while what a group commits for topics that it has not subscribed: nothing need happen for the
/// hint to be committed again within a day, with the claim in force.
pub async fn a_hint_is_committed_again_every_day<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to let a day pass");
    };
    let stage = Stage::set(cluster, "conformance-parked-idle", 1).await;
    let seldom = Duration::from_secs(5);
    let (running, hint) = settled::<C, Idle>(&stage, "doze", seldom).await;
    let log = TopicPartition::new(stage.parked_topic(), 0);
    for _ in 0..2 {
        let forgotten = Position {
            watermark: 0,
            metadata: String::new(),
            parked: None,
        };
        broker.commit(stage.name, log.clone(), forgotten);
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
        assert_eq!(stage.hint().await.as_ref(), Some(&hint));
    }
    running.shutdown().await;
    Verdict::Held
}
