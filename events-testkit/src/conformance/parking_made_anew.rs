//! A topic is deleted and made anew while some of its records are parked: the parked log knows offsets of another topic.

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, pairs, status_once};

subject!(Anew, begin, "conformance-parked-topic-anew");

/// What was parked stays parked, and of the new topic nothing is taken for a copy of it: neither at the offsets of what
/// waits, nor at those of what is done behind it.
pub async fn a_topic_made_anew_loses_nothing<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to make a topic anew");
    };
    let stage = Stage::set(cluster, "conformance-parked-topic-anew", 1).await;
    stage.park(1).await;
    let twice = [Step::Fail("one"), Step::Fail("two")];
    let fails = Step::FailUntil("now");
    stage.probe.script("begin", "a", 0, [fails.clone()]);
    stage.probe.script("begin", "b", 0, twice);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Anew>("a", 0).await;
    stage.send::<Anew>("b", 0).await;
    stage.done_once("begin", 1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    broker.make_anew(stage.name);
    // At the offset of the one that waits, of the one that is done, and one of the key that waits.
    stage.probe.script("begin", "c", 1, [fails]);
    stage.send::<Anew>("c", 1).await;
    stage.send::<Anew>("d", 1).await;
    stage.send::<Anew>("a", 1).await;
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "three are parked", |status| {
        let lane = status.lanes.first();
        lane.is_some_and(|lane| lane.parked_records == 3)
    })
    .await;
    stage.committed_once(3).await;
    stage.probe.open("now");
    stage.done_once("begin", 5).await;
    running.shutdown().await;
    let mut done = stage.probe.done("begin");
    done.sort();
    let expected = pairs(&[("a", 0), ("a", 1), ("b", 0), ("c", 1), ("d", 1)]);
    assert_eq!(done, expected);
    Verdict::Held
}
