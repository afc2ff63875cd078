//! Offsets that are no records: compaction leaves them out, transactions take them for their markers.

use events_runtime::TopicPartition;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, WHILE, status_once};
use crate::{eventually, throughout};

subject!(Sparse, leap, "conformance-gaps");

/// Offsets may have gaps; the watermark passes them.
pub async fn gaps_are_passed<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to leave offsets out");
    };
    let stage = Stage::set(cluster, "conformance-gaps", 1).await;
    stage.probe.script("leap", "slow", 2, [Step::Hang]);
    let partition = TopicPartition::new(stage.name, 0);
    for seq in 0..6 {
        broker.skip_offsets(&partition, 1_000);
        stage
            .send::<Sparse>(if seq == 2 { "slow" } else { "fast" }, seq)
            .await;
    }
    let running = stage.start().await;
    stage.done_once("leap", 5).await;
    stage.committed_once(3_002).await;
    eventually("the map is committed", async || {
        !stage.metadata().await.is_empty()
    })
    .await;
    throughout("the watermark stands", WHILE, async || {
        stage.committed().await == 3_002
    })
    .await;
    running.kill().await;
    let running = stage.start().await;
    stage.committed_once(6_006).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("leap").len(),
        7,
        "only the slow one is done again"
    );
    Verdict::Held
}

subject!(Last, end, "conformance-gaps-at-end");

/// Offsets behind the last record that are no records are committed too: the group has no lag, and when retention has emptied
/// the log it has missed nothing (D1).
pub async fn offsets_behind_the_last_record_are_passed<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.transactions && capabilities.retention) {
        return Verdict::Lacking("transactions or retention");
    }
    let stage = Stage::set(cluster, "conformance-gaps-at-end", 1).await;
    let partition = TopicPartition::new(stage.name, 0);
    let running = stage.start().await;
    // A log that begins with them, and one in which they follow a record.
    for seq in 0..2 {
        let end = stage.leave_gap(&partition).await;
        stage.committed_once(end).await;
        status_once(&running, "the lane is at the end", |status| {
            let lanes = &status.lanes;
            lanes.len() == 1 && lanes[0].watermark == end && lanes[0].lag.unwrap_or(0) == 0
        })
        .await;
        stage.send::<Last>("k", seq).await;
        stage.committed_once(end + 1).await;
    }
    let end = stage.leave_gap(&partition).await;
    stage.committed_once(end).await;
    assert!(running.shutdown().await.drained);

    let emptied = cluster.truncate(&partition, end).await;
    emptied.unwrap_or_else(|error| panic!("the log cannot be emptied: {error:#}"));
    let running = stage.start().await;
    stage.send::<Last>("k", 2).await;
    stage.committed_once(end + 1).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.done("end").len(),
        3,
        "each record is handled once"
    );
    Verdict::Held
}

subject!(Hidden, stay, "conformance-gaps-behind-open");

/// Records that are not done keep the watermark below them, whatever follows them (D1).
pub async fn a_gap_at_the_end_passes_no_record<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().transactions {
        return Verdict::Lacking("transactions");
    }
    let stage = Stage::set(cluster, "conformance-gaps-behind-open", 1).await;
    let partition = TopicPartition::new(stage.name, 0);
    let script = [Step::Gate("slow may go on")];
    stage.probe.script("stay", "slow", 1, script);
    let running = stage.start().await;
    stage.send::<Hidden>("fast", 0).await;
    let slow = stage.send::<Hidden>("slow", 1).await.offset;
    stage.leave_gap(&partition).await;
    stage.send::<Hidden>("fast", 2).await;
    let end = stage.leave_gap(&partition).await;
    stage.done_once("stay", 2).await;
    stage.committed_once(slow).await;
    throughout("the watermark stands", WHILE, async || {
        stage.committed().await == slow
    })
    .await;
    stage.probe.open("slow may go on");
    stage.committed_once(end).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Beyond, reach, "conformance-gaps-waiting");

/// Records that fill a map of offsets, however they are written down.
const OPEN: u64 = 1_500;

/// A record that a lane has received, and that waits until the map of what is done has room for the gap before it, is
/// handled like any other (D1).
pub async fn a_record_that_waits_behind_a_gap_is_not_passed<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to leave offsets out");
    };
    let stage = Stage::set(cluster, "conformance-gaps-waiting", 1).await;
    let partition = TopicPartition::new(stage.name, 0);
    for seq in 0..OPEN {
        let (key, gate) = (format!("k{seq}"), [Step::Gate("all may go on")]);
        stage.probe.script("reach", &key, seq, gate);
        stage.send::<Beyond>(&key, seq).await;
    }
    broker.skip_offsets(&partition, 1_000_000);
    let end = stage.send::<Beyond>("far", OPEN).await.offset + 1;
    let service = stage.service().configure(|settings| {
        settings.concurrency = 4_000;
    });
    let running = stage.start_with(service).await;
    status_once(&running, "all are received", |status| {
        status.lanes.iter().any(|lane| lane.received == OPEN + 1)
    })
    .await;
    throughout("the last one waits", WHILE, async || {
        !stage.probe.has_begun("reach", "far", OPEN)
    })
    .await;
    stage.probe.open("all may go on");
    stage.committed_once(end).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("reach").len() as u64, OPEN + 1);
    Verdict::Held
}
