//! What an earlier owner of the partition parked, and its duplicates.

use events_runtime::Status;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::LACKING;
use super::probe::Step;
use super::stage::{Stage, Subject, pairs, record_of, status_once};

subject!(Borne, bear, "conformance-parked-bearer");

/// What an earlier owner parked stays the first bearer of its id: a duplicate that comes to the next owner is not handled beside it,
/// also while the parked one waits.
pub async fn a_duplicate_of_what_an_earlier_owner_parked_is_not_handled<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.kill) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-bearer", 1).await;
    stage.park(1).await;
    // What is parked stands above the watermark, so that the source brings it to the next owner.
    stage.probe.script("bear", "first", 0, [Step::Gate("go")]);
    let fails = Step::FailUntil("now");
    stage.probe.script("bear", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Borne>("first", 0).await;
    stage.send::<Borne>("a", 0).await;
    let parked = |status: &Status| {
        let lane = status.lanes.first();
        lane.is_some_and(|lane| lane.parked_records == 1 && lane.received == 2)
    };
    status_once(&running, "it is parked", parked).await;
    running.kill().await;
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "it is parked again", parked).await;
    // Of another key, so that it does not wait behind what is parked.
    stage.produce(record_of(&Borne::new("b", 0), "a-0")).await;
    stage.send::<Borne>("c", 0).await;
    stage.done_once("bear", 1).await;
    status_once(&running, "it is counted", |status| {
        status.lanes[0].duplicates == 1
    })
    .await;
    stage.probe.open("now");
    stage.probe.open("go");
    stage.committed_once(4).await;
    stage.done_once("bear", 3).await;
    running.shutdown().await;
    let mut done = stage.probe.done("bear");
    done.sort_unstable();
    assert_eq!(done, pairs(&[("a", 0), ("c", 0), ("first", 0)]));
    Verdict::Held
}
