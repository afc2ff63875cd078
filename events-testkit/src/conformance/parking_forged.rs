//! What others write to a parked log.

use events_core::Outgoing;
use events_runtime::parked_header as name;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::parking_by_hand::{action, parked_for_hours};
use super::probe::Step;
use super::stage::{Stage, pairs};

subject!(Claimed, keep, "conformance-forged-claim");

/// A claim of a generation that the group cannot have does not count: a lane that runs goes on, also with what it parks
/// behind that claim, and so does the one that comes after it.
pub async fn a_forged_claim_stops_no_lane<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-forged-claim", 1).await;
    stage.park(1).await;
    let forged = async || {
        // The largest number, one without a generation, and a far incarnation of the group.
        for number in [i64::MAX, i64::from(u32::MAX), 1 << 40] {
            let mut claim = Outgoing::new(stage.parked_topic());
            claim.partition = Some(0);
            claim.set_value(b"");
            claim.add_header(name::FACT, "claim");
            claim.add_header(name::TOKEN, "0123456789abcdef");
            claim.add_header(name::GENERATION, number.to_string());
            stage.produce(claim).await;
        }
    };
    let fails = Step::FailUntil("now");
    stage.probe.script("keep", "a", 0, [fails.clone()]);
    stage.probe.script("keep", "b", 1, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Claimed>("a", 0).await;
    stage.committed_once(1).await;
    forged().await;
    stage.send::<Claimed>("b", 1).await;
    stage.committed_once(2).await;
    running.shutdown().await;
    forged().await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Claimed>("c", 2).await;
    stage.done_once("keep", 1).await;
    stage.probe.open("now");
    stage.done_once("keep", 3).await;
    running.shutdown().await;
    let mut done = stage.probe.done("keep");
    done.sort();
    assert_eq!(done, pairs(&[("a", 0), ("b", 1), ("c", 2)]));
    Verdict::Held
}

subject!(Named, name_it, "conformance-named-action");

/// An action counts for the record that it names, and not for another that stands at that place in the log: a parked topic that
/// was deleted and made again gives its offsets a second time.
pub async fn an_action_counts_for_the_record_that_it_names<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-named-action", 1).await;
    let (running, head) = parked_for_hours::<C, Named>(&stage, "name_it").await;
    stage.probe.open("now");
    let ask = async |handler: &str, what: &str, partition: &str, offset: &str| {
        let mut fact = action(&stage, handler, what, "a");
        fact.add_header(name::AT, head.to_string());
        fact.add_header(name::PARTITION, partition);
        fact.add_header(name::OFFSET, offset);
        stage.produce(fact).await;
    };
    ask("name_it", "discard", "0", "7").await;
    ask("name_it", "discard", "3", "0").await;
    ask("another", "discard", "0", "0").await;
    ask("name_it", "skip-head", "0", "7").await;
    ask("name_it", "retry-now", "0", "0").await;
    stage.done_once("name_it", 3).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.done("name_it"),
        pairs(&[("a", 0), ("a", 1), ("a", 2)])
    );
    assert!(stage.letters().await.is_empty());
    let log = stage.read(&stage.parked_topic()).await;
    let discarded = facts(&log, "done").any(|fact| fact.header_text(name::REASON).is_some());
    assert!(!discarded);
    Verdict::Held
}
