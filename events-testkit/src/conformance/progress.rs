//! What is committed, and what is known above it.

use events_core::Outgoing;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, Subject, TICK, WHILE, pairs, record_of, status_once};
use crate::{eventually, throughout};

subject!(Watched, watch, "conformance-watermark");

/// The committed offset never passes a record that is not done (D1).
pub async fn the_watermark_waits_for_every_record<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-watermark", 1).await;
    stage
        .probe
        .script("watch", "slow", 3, [Step::Gate("slow may go on")]);
    for seq in 0..10 {
        stage
            .send::<Watched>(if seq == 3 { "slow" } else { "fast" }, seq)
            .await;
    }
    let running = stage.start().await;
    stage.done_once("watch", 9).await;
    stage.committed_once(3).await;
    throughout("the watermark stands at 3", WHILE, async || {
        stage.committed().await == 3
    })
    .await;
    stage.probe.open("slow may go on");
    stage.committed_once(10).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Killed, survive, "conformance-kill");

/// After a kill nothing is lost, and what was done more than a tick before it is not done again, though it lies above
/// the watermark (D1, D3 a).
pub async fn a_kill_repeats_only_what_was_not_done<C: Cluster>(cluster: &C) -> Verdict {
    if !(cluster.capabilities().kill && cluster.capabilities().metadata) {
        return Verdict::Lacking("kill, or no offset metadata");
    }
    let stage = Stage::set(cluster, "conformance-kill", 1).await;
    stage.probe.script("survive", "slow", 0, [Step::Hang]);
    stage.send::<Killed>("slow", 0).await;
    for seq in 1..20 {
        stage.send::<Killed>("fast", seq).await;
    }
    let running = stage.start().await;
    stage.done_once("survive", 19).await;
    // The map is committed under a watermark that does not move.
    eventually("the map is committed", async || {
        !stage.metadata().await.is_empty()
    })
    .await;
    let mut last = String::new();
    eventually("the map settles", async || {
        let now = stage.metadata().await;
        let settled = now == last;
        last = now;
        settled
    })
    .await;
    throughout("the map stays", WHILE, async || {
        stage.metadata().await == last
    })
    .await;
    running.kill().await;
    assert_eq!(stage.committed().await, 0);
    stage.send::<Killed>("fast", 20).await;
    let running = stage.start().await;
    stage.committed_once(21).await;
    running.shutdown().await;
    let mut expected = vec![("slow", 0)];
    expected.extend((1..20).map(|seq| ("fast", seq)));
    let began = stage.probe.began("survive");
    assert_eq!(
        began.len(),
        22,
        "twenty records, one more, and one again: {began:?}"
    );
    assert_eq!(stage.probe.attempts("survive", "slow", 0), 2);
    stage.probe.assert_order("survive");
    Verdict::Held
}

subject!(Handed, hand, "conformance-handed");

/// A member that is killed before it has read everything that the map it began with tells of leaves that map behind
/// (D3 a).
pub async fn a_short_assignment_keeps_the_map_of_the_one_before<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !(cluster.capabilities().kill && cluster.capabilities().metadata) {
        return Verdict::Lacking("kill, or no offset metadata");
    }
    let stage = Stage::set(cluster, "conformance-handed", 1).await;
    stage
        .probe
        .script("hand", "slow", 0, [Step::Hang, Step::Hang]);
    stage.send::<Handed>("slow", 0).await;
    for seq in 1..10 {
        stage.send::<Handed>("fast", seq).await;
    }
    let running = stage.start().await;
    stage.done_once("hand", 9).await;
    let mut all = String::new();
    eventually("the map settles", async || {
        let now = stage.metadata().await;
        let settled = now == all && !now.is_empty();
        all = now;
        settled
    })
    .await;
    throughout("the map stays", WHILE, async || {
        stage.metadata().await == all
    })
    .await;
    running.kill().await;
    let short = stage.service().configure(|settings| {
        // The slow one fills it, so that nothing behind it is read.
        settings.lane_records = 1;
        settings.lane_held = 1;
    });
    let running = stage.start_with(short).await;
    eventually("the slow one is tried again", async || {
        stage.probe.attempts("hand", "slow", 0) == 2
    })
    .await;
    throughout("the map stays", WHILE, async || {
        stage.metadata().await == all
    })
    .await;
    running.kill().await;
    let running = stage.start().await;
    stage.committed_once(10).await;
    running.shutdown().await;
    let began = stage.probe.began("hand");
    assert_eq!(began.len(), 12, "only the slow one again: {began:?}");
    Verdict::Held
}

subject!(Twice, once, "conformance-duplicate");

/// A record with the source and id of an earlier one is skipped and counted, also while that one is under way (D3 b).
pub async fn duplicates_are_skipped<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-duplicate", 1).await;
    stage
        .probe
        .script("once", "a", 0, [Step::Gate("a may go on")]);
    stage.send::<Twice>("a", 0).await;
    let running = stage.start().await;
    stage.begun_once("once", "a", 0).await;
    // Another key, so that only the id makes it a duplicate; the first one is still under way.
    stage.produce(record_of(&Twice::new("b", 7), "a-0")).await;
    let status = status_once(&running, "the duplicate is counted", |status| {
        status.lanes.iter().any(|lane| lane.duplicates == 1)
    })
    .await;
    assert_eq!(
        status.lanes[0].watermark, 0,
        "a duplicate does not pass the first: {status:#?}"
    );
    throughout("nothing is committed", WHILE, async || {
        stage.committed().await == 0
    })
    .await;
    stage.probe.open("a may go on");
    stage.committed_once(2).await;
    stage.produce(record_of(&Twice::new("a", 0), "a-0")).await;
    stage.committed_once(3).await;
    // The same id from another source is another event.
    stage
        .produce(
            crate::edge::record(&Twice::new("c", 9), "elsewhere", "a-0").expect("it is encoded"),
        )
        .await;
    stage.committed_once(4).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("once"), pairs(&[("a", 0), ("c", 9)]));
    Verdict::Held
}

#[events_core::event(topic = "conformance-acks", key = key, crate = crate::conformance::listed)]
pub(crate) struct Order {
    pub(crate) key: String,
}
#[events_core::event(topic = "conformance-acks-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Receipt {
    pub(crate) key: String,
}

#[events_core::handler(service = "conformance-acks", crate = crate::conformance::listed)]
async fn receipt(
    order: Order,
    probe: events_core::State<super::probe::Probe>,
) -> events_core::Result<Receipt> {
    probe.attempt("receipt", &order.key, 0).await?;
    Ok(Receipt { key: order.key })
}

/// A record is not done before its emissions are acknowledged, though its handler goes on with others (D1, §7).
pub async fn unacknowledged_emissions_hold_the_watermark<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to hold acknowledgements back");
    };
    let stage = Stage::set(cluster, "conformance-acks", 1).await;
    stage.topic("conformance-acks-out", 1).await;
    broker.hold_acks();
    let running = stage.start().await;
    for seq in 0..3 {
        stage.produce(order("a", seq)).await;
    }
    stage.done_once("receipt", 3).await;
    eventually("all three are enqueued", async || broker.held_acks() == 3).await;
    let status = running.status().await;
    assert_eq!(status.lanes[0].unacknowledged, 3, "{status:#?}");
    throughout("nothing is committed", WHILE, async || {
        stage.committed().await == 0
    })
    .await;
    broker.release_acks();
    stage.committed_once(3).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("receipt").len(), 3);
    Verdict::Held
}

/// An acknowledgement for an earlier assignment of a partition says nothing to a later one (D8).
pub async fn late_acknowledgements_find_nobody<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to hold acknowledgements back");
    };
    let stage = Stage::set(cluster, "conformance-acks", 1).await;
    stage.topic("conformance-acks-out", 1).await;
    broker.hold_acks();
    let hasty = || stage.service().configure(|settings| settings.drain = TICK);
    let first = stage.start_with(hasty()).await;
    stage.produce(order("a", 0)).await;
    eventually("the emission is enqueued", async || broker.held_acks() == 1).await;
    let report = first.shutdown().await;
    assert_eq!((report.drained, report.abandoned), (false, 1), "{report:?}");
    let second = stage.start_with(hasty()).await;
    eventually("it is enqueued again", async || broker.held_acks() == 2).await;
    broker.release_one_ack();
    throughout("the second waits for its own", WHILE, async || {
        stage.committed().await == 0
    })
    .await;
    broker.release_acks();
    stage.committed_once(1).await;
    second.shutdown().await;
    Verdict::Held
}

fn order(key: &str, seq: u64) -> Outgoing {
    record_of(
        &Order {
            key: key.to_owned(),
        },
        &format!("{key}-{seq}"),
    )
}
