//! What a new owner finds parked keeps its place among what comes from the source again (D2).

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::facts;
use super::probe::Step;
use super::stage::{Stage, pairs};
use crate::eventually;

subject!(Overtaken, keep_place, "conformance-parked-overtaken");

/// The process dies when a record is parked and an earlier one of its key is not, whose append was refused for a moment. The next
/// owner runs them in the order of the source.
pub async fn an_earlier_record_that_was_not_parked_keeps_its_place<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-parked-overtaken", 1).await;
    stage.park(1).await;
    let fails = [Step::Fail("one"), Step::Fail("two")];
    stage.probe.script("keep_place", "a", 0, fails);
    let running = stage.start_with(stage.parking_service()).await;
    eventually("the log is claimed", async || {
        let lanes = running.status().await.lanes;
        lanes.len() == 1 && lanes[0].holding.is_none()
    })
    .await;
    broker.hold_acks();
    broker.refuse(&stage.parked_topic(), "not now");
    stage.send::<Overtaken>("a", 0).await;
    eventually("the first is refused", async || broker.held_acks() == 1).await;
    broker.accept(&stage.parked_topic());
    stage.send::<Overtaken>("a", 1).await;
    eventually("the second is parked", async || {
        facts(&stage.read(&stage.parked_topic()).await, "parked").count() == 1
    })
    .await;
    running.kill().await;
    broker.release_acks();
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(2).await;
    stage.done_once("keep_place", 2).await;
    running.shutdown().await;
    stage.probe.assert_order("keep_place");
    let expected = pairs(&[("a", 0), ("a", 1)]);
    assert_eq!(stage.probe.done("keep_place"), expected);
    Verdict::Held
}
