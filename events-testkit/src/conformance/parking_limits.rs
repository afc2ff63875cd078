//! How much may be parked, and what a log that does not keep up does to order.

use std::collections::BTreeSet;

use events_runtime::{Settings, parked_header as name};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::parking::{LACKING, facts};
use super::probe::Step;
use super::stage::{Stage, Subject, WHILE, pairs, status_once};
use crate::{eventually, throughout};

/// Parks one record of each of 100 keys, and answers what the lane says at its bound. It goes on once all succeed.
async fn bounded<C: Cluster, E: Subject>(
    cluster: &C,
    topic: &'static str,
    handler: &str,
    bound: impl FnOnce(&mut Settings),
) -> String {
    let stage = Stage::set(cluster, topic, 1).await;
    stage.park(1).await;
    let keys: Vec<_> = (0..100).map(|key| format!("k{key}")).collect();
    for key in &keys {
        let fails = Step::FailUntil("room");
        stage.probe.script(handler, key, 0, [fails]);
    }
    let service = stage.parking_service().configure(|settings| {
        // What is on its way to the log counts when it has been read back.
        settings.lane_records = 10;
        settings.lane_held = 10;
        // So many keys fail, but each by itself.
        settings.breaker_keys = 0;
        bound(settings);
    });
    let running = stage.start_with(service).await;
    for key in &keys {
        stage.send::<E>(key, 0).await;
    }
    let full = "parked, the most allowed";
    let status = status_once(&running, "the lane holds", |status| {
        let holding = status.lanes.first().and_then(|lane| lane.holding.clone());
        holding.unwrap_or_default().contains(full)
    })
    .await;
    throughout("no more is taken", WHILE, async || {
        running.status().await.lanes[0].parked_records < 50
    })
    .await;
    stage.probe.open("room");
    stage.done_once(handler, 100).await;
    stage.committed_once(100).await;
    running.shutdown().await;
    let done: BTreeSet<_> = stage.probe.done(handler).into_iter().collect();
    assert_eq!(done.len(), 100);
    status.lanes[0].holding.clone().unwrap_or_default()
}

#[track_caller]
fn says(holding: &str, parts: &[&str]) {
    for part in parts {
        assert!(holding.contains(part), "{part}: {holding}");
    }
}

subject!(Many, pile, "conformance-parked-records");

/// At the bound of all its parked records the lane takes no more, and names the oldest; it goes on by itself.
pub async fn parked_records_in_all_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let topic = "conformance-parked-records";
    let holding = bounded::<C, Many>(cluster, topic, "pile", |settings| {
        settings.parked_records = 20;
    });
    says(
        &holding.await,
        &["conformance-parked-records/pile", "key k", "room"],
    );
    Verdict::Held
}

subject!(Heavy, lift, "conformance-parked-bytes");

/// The same at the bound of their bytes, of which a record takes at least 256.
pub async fn parked_bytes_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let topic = "conformance-parked-bytes";
    let holding = bounded::<C, Heavy>(cluster, topic, "lift", |settings| {
        settings.parked_bytes = 20 * 256;
    });
    says(
        &holding.await,
        &["conformance-parked-bytes/lift", "key k", "room"],
    );
    Verdict::Held
}

subject!(Ahead, first, "conformance-parked-behind");
reader!(Ahead, second, "conformance-parked-behind");
reader!(Ahead, third, "conformance-parked-behind");
reader!(Ahead, fourth, "conformance-parked-behind");

/// The bounds hold also where records are parked faster than they are read back: what is not read back yet is bounded too.
pub async fn what_is_not_read_back_is_bounded<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-behind", 1).await;
    stage.park(1).await;
    for handler in ["first", "second", "third", "fourth"] {
        let fails = Step::FailUntil("room");
        stage.probe.script(handler, "a", 0, [fails]);
    }
    let service = stage.parking_service().configure(|settings| {
        settings.lane_records = 20;
        settings.lane_held = 20;
        // Each record is parked four times, and read back one by one.
        settings.batch = 10;
        settings.parked_records = 100;
    });
    let running = stage.start_with(service).await;
    stage.send::<Ahead>("a", 0).await;
    stage.committed_once(1).await;
    for seq in 1..200 {
        stage.send::<Ahead>("a", seq).await;
    }
    status_once(&running, "the lane is full", |status| {
        status.lanes[0].parked_records >= 100
    })
    .await;
    throughout("no more is written", WHILE, async || {
        let log = stage.read(&stage.parked_topic()).await;
        // The bound, what may be unread, and four copies of what is in flight.
        facts(&log, "parked").count() <= 100 + 10 + 4 * 20
    })
    .await;
    stage.probe.open("room");
    for handler in ["first", "second", "third", "fourth"] {
        stage.done_once(handler, 200).await;
        stage.probe.assert_order(handler);
    }
    stage.committed_once(200).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Late, arrive, "conformance-parked-order");

/// A record whose append is refused for a moment stands in the log behind the one that followed it, and runs before it all
/// the same.
pub async fn an_append_refused_for_a_moment_keeps_its_place<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-parked-order", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("arrive", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Late>("a", 0).await;
    stage.committed_once(1).await;
    let under_way = async |count| {
        eventually("the append is under way", async || {
            let log = stage.read(&stage.parked_topic()).await;
            let written = facts(&log, "parked").count() - 1;
            broker.held_acks() >= count && written == count - 1
        })
        .await;
    };
    broker.hold_acks();
    broker.refuse(&stage.parked_topic(), "not now");
    stage.send::<Late>("a", 1).await;
    under_way(1).await;
    broker.accept(&stage.parked_topic());
    stage.send::<Late>("a", 2).await;
    under_way(2).await;
    stage.probe.open("now");
    stage.done_once("arrive", 1).await;
    throughout("the third waits for the second", WHILE, async || {
        stage.probe.done("arrive") == pairs(&[("a", 0)])
    })
    .await;
    broker.release_acks();
    stage.done_once("arrive", 3).await;
    stage.committed_once(3).await;
    running.shutdown().await;
    stage.probe.assert_order("arrive");
    assert_eq!(
        stage.probe.done("arrive"),
        pairs(&[("a", 0), ("a", 1), ("a", 2)])
    );
    let log = stage.read(&stage.parked_topic()).await;
    let offsets = facts(&log, "parked").filter_map(|fact| fact.header_text(name::OFFSET));
    assert_eq!(offsets.collect::<Vec<_>>(), ["0", "2", "1"]);
    Verdict::Held
}

/// Starts a service that may park 50 records, and sends it one record of each of 200 keys, which succeed once parked.
async fn passing<C: Cluster, E: Subject>(
    stage: &Stage<'_, C>,
    handler: &str,
    first: Step,
) -> C::Running {
    stage.park(1).await;
    stage.probe.script(handler, "first", 0, [first]);
    let service = stage.parking_service().configure(|settings| {
        settings.lane_records = 10;
        settings.lane_held = 10;
        settings.breaker_keys = 0;
        settings.parked_records = 50;
    });
    let running = stage.start_with(service).await;
    stage.send::<E>("first", 0).await;
    for key in 0..200 {
        let key = format!("k{key}");
        let fails = [Step::Fail("one"), Step::Fail("two")];
        stage.probe.script(handler, &key, 0, fails);
        stage.send::<E>(&key, 0).await;
    }
    running
}

subject!(Passing, pass, "conformance-parked-forgotten");

/// Behind a record that stays parked, any number of others may be parked and done: they take no room for ever.
pub async fn what_is_done_behind_an_open_record_is_forgotten<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-forgotten", 1).await;
    let fails = Step::FailUntil("now");
    let running = passing::<C, Passing>(&stage, "pass", fails).await;
    stage.done_once("pass", 200).await;
    stage.committed_once(201).await;
    assert!(!stage.probe.has_done("pass", "first", 0));
    stage.probe.open("now");
    stage.done_once("pass", 201).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("pass").len(), 201, "none is run twice");
    Verdict::Held
}

subject!(Waiting, hold_up, "conformance-parked-remembered");

/// What is done above the watermark must be remembered, because its source may bring it again. That is bounded too, and the
/// lane says so.
pub async fn what_is_remembered_is_bounded<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-remembered", 1).await;
    let running = passing::<C, Waiting>(&stage, "hold_up", Step::Gate("go")).await;
    status_once(&running, "the lane says so", |status| {
        let holding = status.lanes.first().and_then(|lane| lane.holding.clone());
        holding
            .unwrap_or_default()
            .contains("are done and remembered")
    })
    .await;
    // Those that were open when the bound was met are done too.
    throughout("no more is taken", WHILE, async || {
        stage.probe.done("hold_up").len() < 150
    })
    .await;
    stage.probe.open("go");
    stage.done_once("hold_up", 201).await;
    stage.committed_once(201).await;
    running.shutdown().await;
    Verdict::Held
}
