//! Records are handled, and what handlers return is published.

use super::cluster::{Cluster, Outcome, Running};
use super::listed::subject;
use super::stage::Stage;

subject!(Counted, count, "conformance-once");

/// Every record of every partition is handled once, and committed (D1).
pub async fn every_record_is_handled_once<C: Cluster>(cluster: &C) -> Outcome {
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
    let mut numbers: Vec<_> = stage.probe.began("count").into_iter().map(|(_, seq)| seq).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..31).collect::<Vec<_>>());
    assert_eq!(stage.committed().await, 31, "the drain commits");
    Outcome::Held
}
