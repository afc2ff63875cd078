//! Where a group starts is decided, not defaulted (D14).

use std::time::Duration;

use events_core::{Start, State, event, handler};
use events_runtime::TopicPartition;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Probe;
use super::stage::{Stage, Subject, WHILE, pairs, record_of, status_once};
use crate::{eventually, throughout};

subject!(Past, from_earliest, "conformance-earliest");

/// A group that has committed nothing begins at the log's start; one that has, where it stands.
pub async fn a_fresh_group_starts_at_the_earliest<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-earliest", 1).await;
    stage.send::<Past>("a", 0).await;
    let running = stage.start().await;
    stage.committed_once(1).await;
    running.shutdown().await;
    stage.send::<Past>("a", 1).await;
    let running = stage.start().await;
    stage.committed_once(2).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("from_earliest"),
        pairs(&[("a", 0), ("a", 1)])
    );
    Verdict::Held
}

subject!(Present, from_latest, "conformance-latest");

/// A group that starts at the latest sees only what comes after; what comes while it is away it sees later; and a
/// partition that appears later is read from its start.
pub async fn a_fresh_group_may_start_at_the_latest<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-latest", 1).await;
    let service = || {
        stage
            .service()
            .configure(|settings| settings.start = Start::Latest)
    };
    stage.send::<Present>("a", 0).await;
    let running = stage.start_with(service()).await;
    // The start itself is committed, so that it holds when nothing comes before the next restart.
    stage.committed_once(1).await;
    running.shutdown().await;
    stage.send::<Present>("a", 1).await;
    let running = stage.start_with(service()).await;
    stage.committed_once(2).await;
    assert_eq!(stage.probe.began("from_latest"), pairs(&[("a", 1)]));
    if cluster.capabilities().new_partitions {
        stage.topic(stage.name, 2).await;
        let mut record = record_of(&Present::new("b", 2), "b-2");
        record.partition = Some(1);
        stage.produce(record).await;
        eventually("the new partition is read", async || {
            stage.probe.has_done("from_latest", "b", 2)
        })
        .await;
        running.shutdown().await;
        stage.topic(stage.name, 3).await;
        let mut record = record_of(&Present::new("c", 3), "c-3");
        record.partition = Some(2);
        stage.produce(record).await;
        let running = stage.start_with(service()).await;
        eventually("a partition from while it was away is read", async || {
            stage.probe.has_done("from_latest", "c", 3)
        })
        .await;
        running.shutdown().await;
    } else {
        running.shutdown().await;
    }
    assert!(!stage.probe.has_begun("from_latest", "a", 0));
    Verdict::Held
}

#[event(topic = "conformance-time", key = key, crate = crate::conformance::listed)]
pub(crate) struct Dated {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-time", group = "conformance-time", start = "2024-01-31T00:00:00Z", crate = crate::conformance::listed)]
async fn from_time(event: Dated, probe: State<Probe>) {
    probe.note(format!("{}", event.seq));
}

/// The instant that the handler names, in milliseconds.
const BEGIN: i64 = 1_706_659_200_000;

/// A group that starts at a time begins with the first record at or after it.
pub async fn a_fresh_group_may_start_at_a_time<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().time_start {
        return Verdict::Lacking("look-up of offsets by time");
    }
    let stage = Stage::set(cluster, "conformance-time", 1).await;
    for (seq, offset) in [-86_400_000, -1, 0, 1, 86_400_000].into_iter().enumerate() {
        let event = Dated {
            key: "a".into(),
            seq: seq as u64,
        };
        let mut record = record_of(&event, &seq.to_string());
        record.timestamp = Some(BEGIN + offset);
        stage.produce(record).await;
    }
    let running = stage.start().await;
    stage.committed_once(5).await;
    running.shutdown().await;
    assert_eq!(stage.probe.notes(), ["2", "3", "4"]);
    Verdict::Held
}

subject!(Overtaken, overtake, "conformance-range");

/// When retention has overtaken a group, it holds and says so; it does not jump.
pub async fn a_group_out_of_range_holds<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().retention {
        return Verdict::Lacking("deletion of records");
    }
    let stage = Stage::set(cluster, "conformance-range", 1).await;
    stage.send::<Overtaken>("a", 0).await;
    let running = stage.start().await;
    stage.committed_once(1).await;
    running.shutdown().await;
    for seq in 1..5 {
        stage.send::<Overtaken>("a", seq).await;
    }
    let truncated = cluster
        .truncate(&TopicPartition::new(stage.name, 0), 3)
        .await;
    truncated.unwrap_or_else(|error| panic!("records cannot be deleted: {error:#}"));
    let running = stage.start().await;
    let status = status_once(
        &running,
        "the status says that the offset is out of range",
        |status| {
            let holding = status
                .lanes
                .first()
                .and_then(|lane| lane.holding.as_deref());
            holding.is_some_and(|reason| reason.contains("out of range"))
        },
    )
    .await;
    assert!(!status.healthy, "{status:#?}");
    throughout("nothing is read and nothing committed", WHILE, async || {
        stage.committed().await == 1 && stage.probe.began("overtake").len() == 1
    })
    .await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Torn, read_on, "conformance-unreadable");

/// A partition that cannot be read for a while is named, and read on afterwards.
pub async fn an_unreadable_partition_is_named_and_read_on<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to make a partition unreadable");
    };
    let stage = Stage::set(cluster, "conformance-unreadable", 1).await;
    let partition = TopicPartition::new(stage.name, 0);
    broker.make_unreadable(&partition, "the disk is gone");
    let running = stage.start().await;
    stage.send::<Torn>("a", 0).await;
    let status = status_once(&running, "the status names the reason", |status| {
        let holding = status
            .lanes
            .first()
            .and_then(|lane| lane.holding.as_deref());
        holding.is_some_and(|reason| reason.contains("the disk is gone"))
    })
    .await;
    let lane = &status.lanes[0];
    assert!(
        lane.unhealthy.is_some() && !lane.restart_helps,
        "it would be unreadable again: {lane:#?}"
    );
    broker.make_readable(&partition);
    stage.committed_once(1).await;
    status_once(&running, "the lane is well again", |status| {
        status.lanes[0].holding.is_none()
    })
    .await;
    // Long after: the partition is polled as before.
    throughout("nothing happens", Duration::from_millis(600), async || {
        stage.committed().await == 1
    })
    .await;
    stage.send::<Torn>("a", 1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    Verdict::Held
}
