//! A handler that wants no order parks records, not keys.

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::probe::Step;
use super::stage::{Stage, pairs, status_once};

subject!(
    Single,
    alone,
    "conformance-parked-unordered",
    ordering = "none"
);

/// A record that failed every attempt is parked alone: others of its key are handled, and those that fail too wait each for
/// itself.
pub async fn records_without_order_park_alone<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-unordered", 1).await;
    stage.park(1).await;
    for (seq, until) in [(0, "the first"), (2, "the third")] {
        let fails = Step::FailUntil(until);
        stage.probe.script("alone", "a", seq, [fails]);
    }
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..4 {
        stage.send::<Single>("a", seq).await;
    }
    stage.committed_once(4).await;
    let status = status_once(&running, "two are parked", |status| {
        status.lanes[0].parked_records == 2
    })
    .await;
    assert_eq!(status.lanes[0].parked_keys, 2, "{status:#?}");
    let done = |expected: &[(&str, u64)]| {
        let mut done = stage.probe.done("alone");
        done.sort();
        assert_eq!(done, pairs(expected));
    };
    done(&[("a", 1), ("a", 3)]);
    // The later one is not held back by the earlier one.
    stage.probe.open("the third");
    stage.done_once("alone", 3).await;
    done(&[("a", 1), ("a", 2), ("a", 3)]);
    // Nor is what comes meanwhile.
    stage.send::<Single>("a", 4).await;
    stage.done_once("alone", 4).await;
    stage.probe.open("the first");
    stage.done_once("alone", 5).await;
    running.shutdown().await;
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 2);
    Verdict::Held
}
