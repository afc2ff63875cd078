//! A log from which compaction has removed records.

use std::sync::Arc;

use events_kafka::{State, event, handler};
use events_testkit::eventually;
use rdkafka::producer::Producer;

use crate::scene::{PATIENCE, Scene};
use crate::{Handled, counting, support};

counting!(
    compacted,
    Compacted,
    "transactions-compacted",
    "transactions-compaction"
);

/// What compaction has left is handled, and the group commits up to the end of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_of_compaction_are_no_lag() {
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    let scene = Scene::set(
        "transactions-compacted",
        "transactions-compaction",
        &settings,
    );
    let Some(scene) = scene.await else {
        return;
    };
    let handled = Arc::new(Handled::default());
    let handle = scene.start(&handled).await;
    let first = scene.begin_as(&support::unique("first"), "Compacted", &["a", "b"]);
    first.commit_transaction(PATIENCE).unwrap();
    handled.once(2).await;
    scene.committed_once(3).await;
    assert!(handle.drain().await.drained);

    let again = ["a", "b"].repeat(10);
    let again = scene.begin_as(&support::unique("again"), "Compacted", &again);
    again.commit_transaction(PATIENCE).unwrap();
    eventually(
        "all but the last record of each key are removed",
        async || {
            // What is written last is never compacted.
            scene
                .begin("Compacted", 1)
                .abort_transaction(PATIENCE)
                .unwrap();
            scene.records() == 2
        },
    )
    .await;
    let handle = scene.start(&handled).await;
    handled.once(4).await;
    let mut end = 0;
    eventually("the last marker is written", async || {
        end = scene.end("read_committed");
        end == scene.end("read_uncommitted")
    })
    .await;
    scene.committed_once(end).await;
    eventually("there is no lag", async || {
        let lane = handle.status().lanes.remove(0);
        lane.watermark == end && lane.lag == Some(0)
    })
    .await;
    scene.lags(false).await;
    assert!(handle.drain().await.drained);
}
