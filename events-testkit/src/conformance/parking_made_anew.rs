//! A topic, or a group, is deleted and made anew while some records are parked: the parked log knows offsets of another topic,
//! and claims of another group.

use events_core::Outgoing;
use events_runtime::parked_header as name;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::LACKING;
use super::probe::Step;
use super::stage::{Stage, Subject, pairs, record_of, status_once};

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

subject!(Later, resume, "conformance-parked-group-anew");

/// A group that was deleted, that expired or that changed its protocol begins to count its generations again, and its claims
/// come after none of what stands in the log. Its coordinator tells who owns the partition now, so the owner's lane takes the
/// log over, with what is parked in it, and so do those that come after it.
pub async fn a_group_made_anew_takes_over_what_is_parked_by_itself<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-group-anew", 1).await;
    stage.park(1).await;
    let gone = "00000000deadbeef";
    let fact = |kind: &str| {
        let mut fact = Outgoing::new(stage.parked_topic());
        fact.partition = Some(0);
        fact.set_key(b"a").set_value(b"");
        fact.add_header(name::FACT, kind);
        fact.add_header(name::TOKEN, gone);
        fact
    };
    let mut claim = fact("claim");
    claim.add_header(name::GENERATION, "1000000");
    stage.produce(claim).await;
    let mut parked = fact("parked");
    let event = record_of(&Later::new("a", 0), "a-0");
    parked.set_value(event.value().unwrap_or_default());
    for (header, value) in event.headers() {
        parked.add_raw_header(header, value);
    }
    parked.add_header(name::HANDLER, "conformance-parked-group-anew/resume");
    parked.add_header(name::OFFSET, "0");
    stage.send::<Later>("a", 0).await;
    let timestamp = stage.read(stage.name).await[0].timestamp;
    parked.add_header(name::TIMESTAMP, timestamp.to_string());
    stage.produce(parked).await;
    stage.send::<Later>("a", 1).await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.done_once("resume", 2).await;
    stage.committed_once(2).await;
    // A claim of the group that is gone, which was on its way all the time, counts no more.
    let mut late = fact("claim");
    late.add_header(name::GENERATION, "1000001");
    stage.produce(late).await;
    stage.send::<Later>("a", 2).await;
    stage.done_once("resume", 3).await;
    running.shutdown().await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Later>("a", 3).await;
    stage.done_once("resume", 4).await;
    running.shutdown().await;
    let expected: Vec<_> = (0..4).map(|seq| ("a", seq)).collect();
    assert_eq!(stage.probe.done("resume"), pairs(&expected));
    Verdict::Held
}
