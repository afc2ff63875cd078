//! Parked keys survive whatever happens to the member that parked them.

use std::time::Duration;

use events_core::Outgoing;
use events_runtime::{Status, TopicPartition, parked_header as name};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::probe::Step;
use super::stage::{DRAINS, Stage, Subject, WHILE, pairs, record_of, status_once};
use crate::received::Received;
use crate::{eventually, throughout};

fn in_order(key: &str, records: std::ops::Range<u64>) -> Vec<(String, u64)> {
    records.map(|seq| (key.to_owned(), seq)).collect()
}

subject!(Asleep, sleep, "conformance-parked-kill");

/// What is parked outlives a kill: it is not lost, not parked twice, not overtaken, and its attempts are counted on.
pub async fn a_kill_while_a_key_is_parked<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.kill) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-kill", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("sleep", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..4 {
        stage.send::<Asleep>("a", seq).await;
    }
    stage.send::<Asleep>("b", 0).await;
    stage.committed_once(5).await;
    running.kill().await;
    stage.send::<Asleep>("a", 4).await;
    let running = stage.start_with(stage.parking_service()).await;
    let status = status_once(&running, "all of it is parked again", |status| {
        status
            .lanes
            .first()
            .is_some_and(|lane| lane.parked_records == 5)
    })
    .await;
    let attempts = status.lanes[0].troubles[0].attempts;
    assert!(
        attempts >= 2,
        "the attempts before the kill count: {attempts}"
    );
    stage.probe.open("now");
    stage.done_once("sleep", 6).await;
    running.shutdown().await;
    stage.probe.assert_order("sleep");
    let mut expected = pairs(&[("b", 0)]);
    expected.extend(in_order("a", 0..5));
    assert_eq!(stage.probe.done("sleep"), expected);
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 5);
    Verdict::Held
}

subject!(Interrupted, interrupt, "conformance-parked-append");

/// A kill between an append and its acknowledgement: the records come again, and the copies in the log stand for them.
pub async fn a_kill_during_an_append<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to keep acknowledgements back");
    };
    let stage = Stage::set(cluster, "conformance-parked-append", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("interrupt", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "the log is claimed", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_none())
    })
    .await;
    broker.hold_acks();
    for seq in 0..3 {
        stage.send::<Interrupted>("a", seq).await;
    }
    eventually("three copies are written", async || {
        facts(&stage.read(&stage.parked_topic()).await, "parked").count() == 3
    })
    .await;
    throughout("nothing is committed", WHILE, async || {
        stage.committed().await == 0
    })
    .await;
    running.kill().await;
    broker.release_acks();
    for seq in 3..6 {
        stage.send::<Interrupted>("a", seq).await;
    }
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(6).await;
    stage.probe.open("now");
    stage.done_once("interrupt", 6).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("interrupt"), in_order("a", 0..6));
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 6, "none is parked twice");
    Verdict::Held
}

subject!(Halfway, halve, "conformance-parked-release");

/// A kill in the midst of a release: what was done stays done, the rest follows in order.
pub async fn a_kill_during_a_release<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.kill) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-release", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("halve", "a", 0, [fails]);
    stage.probe.script("halve", "a", 5, [Step::Hang]);
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..10 {
        stage.send::<Halfway>("a", seq).await;
    }
    stage.committed_once(10).await;
    stage.probe.open("now");
    stage.begun_once("halve", "a", 5).await;
    eventually("what was done is written", async || {
        facts(&stage.read(&stage.parked_topic()).await, "done").count() == 5
    })
    .await;
    running.kill().await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Halfway>("a", 10).await;
    stage.done_once("halve", 11).await;
    stage.committed_once(11).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("halve"), in_order("a", 0..11));
    stage.probe.assert_order("halve");
    Verdict::Held
}

subject!(Haunted, haunt, "conformance-parked-zombie");

/// What a member writes into the log that has lost the partition does not count.
pub async fn a_zombie_is_ignored<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-zombie", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("haunt", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Haunted>("a", 0).await;
    stage.committed_once(1).await;
    let log = stage.read(&stage.parked_topic()).await;
    let first = facts(&log, "parked").next().expect("a-0 is parked");
    let zombie = |kind: &str| {
        let mut fact = Outgoing::new(stage.parked_topic());
        fact.partition = Some(0);
        fact.set_key(b"a");
        fact.add_header(name::FACT, kind);
        fact.add_header(name::TOKEN, "00000000deadbeef");
        fact.add_header(name::HANDLER, "conformance-parked-zombie/haunt");
        fact
    };
    let mut late = zombie("claim");
    late.add_header(name::GENERATION, "0").set_value(b"");
    stage.produce(late).await;
    let mut done = zombie("done");
    done.add_header(name::AT, first.offset.to_string())
        .set_value(b"");
    stage.produce(done).await;
    let mut parked = zombie("parked");
    let ghost = record_of(&Haunted::new("a", 77), "a-77");
    parked.set_value(ghost.value().unwrap_or_default());
    for (header, value) in ghost.headers() {
        parked.add_raw_header(header, value);
    }
    parked.add_header(name::OFFSET, "1");
    stage.produce(parked).await;
    stage.send::<Haunted>("a", 1).await;
    stage.committed_once(2).await;
    let both = |status: &Status| {
        let lane = status.lanes.first();
        lane.is_some_and(|lane| lane.parked_records == 2)
    };
    status_once(&running, "both are parked", both).await;
    throughout("they stay so", WHILE, async || {
        both(&running.status().await)
    })
    .await;
    running.shutdown().await;
    // The next one reads the same.
    let service = stage
        .parking_service()
        .configure(|settings| settings.stall = Duration::from_secs(2));
    let running = stage.start_with(service).await;
    status_once(&running, "both are parked", both).await;
    stage.probe.open("now");
    stage.done_once("haunt", 2).await;
    // A claim of the next generation fences: the lane says so, and takes nothing more.
    let mut claim = zombie("claim");
    claim.add_header(name::GENERATION, "1000000").set_value(b"");
    stage.produce(claim).await;
    status_once(&running, "the lane says that it is fenced", |status| {
        let holding = status.lanes[0].holding.as_deref().unwrap_or_default();
        holding.contains("claimed by another member of generation 1000000")
    })
    .await;
    stage.send::<Haunted>("a", 2).await;
    throughout("nothing more is taken", WHILE, async || {
        stage.probe.done("haunt").len() == 2
    })
    .await;
    let status = status_once(&running, "the lane is unhealthy", |status| !status.healthy).await;
    let lane = &status.lanes[0];
    assert!(
        lane.restart_helps,
        "its successor claims after it: {lane:#?}"
    );
    running.shutdown().await;
    assert_eq!(stage.probe.done("haunt"), in_order("a", 0..2));
    let running = stage.start_with(stage.parking_service()).await;
    stage.done_once("haunt", 3).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("haunt"), in_order("a", 0..3));
    Verdict::Held
}

subject!(Moving, relocate, "conformance-parked-moves");

/// When partitions move, their parked keys move with them: in order, none lost, none done twice.
pub async fn another_member_takes_parked_keys_over<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.several_members) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-moves", 4).await;
    stage.park(4).await;
    let keys: Vec<String> = (0..12).map(|key| format!("k{key}")).collect();
    for key in &keys {
        let fails = Step::FailUntil("now");
        stage.probe.script("relocate", key, 1, [fails]);
    }
    // So many keys fail, but each by itself.
    let service = || {
        let service = stage.parking_service();
        service.configure(|settings| settings.breaker_keys = 0)
    };
    let first = stage.start_with(service()).await;
    for seq in 0..4 {
        for key in &keys {
            stage.send::<Moving>(key, seq).await;
        }
    }
    stage.committed_once(48).await;
    let second = stage.start_with(service()).await;
    for running in [&first, &second] {
        status_once(running, "the member has two partitions", |status| {
            let claimed = |lane: &&events_runtime::LaneStatus| lane.holding.is_none();
            status.lanes.iter().filter(claimed).count() == 2
        })
        .await;
    }
    let parked = async |running: &C::Running| -> usize {
        let status = running.status().await;
        status.lanes.iter().map(|lane| lane.parked_records).sum()
    };
    eventually("all of it is parked there", async || {
        parked(&first).await + parked(&second).await == 36
    })
    .await;
    stage.probe.open("now");
    for key in &keys {
        stage.send::<Moving>(key, 4).await;
    }
    stage.done_once("relocate", 60).await;
    assert!(first.shutdown().await.drained);
    assert!(second.shutdown().await.drained);
    stage.probe.assert_order("relocate");
    let done = stage.probe.done("relocate");
    assert_eq!(done.len(), 60, "nothing is done twice");
    for key in &keys {
        let of_key: Vec<_> = done
            .iter()
            .filter(|(known, _)| known == key)
            .cloned()
            .collect();
        assert_eq!(of_key, in_order(key, 0..5));
    }
    Verdict::Held
}

subject!(Drained, drain, "conformance-parked-drain");

/// A clean end leaves parked keys where they are, waits for nothing but attempts under way, and tells the next member
/// from where on to read.
pub async fn a_drain_leaves_parked_keys_to_the_next<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-drain", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("drain", "a", 0, [fails]);
    stage.probe.script(
        "drain",
        "b",
        0,
        [
            Step::Fail("one"),
            Step::Fail("two"),
            Step::Gate("b may end"),
        ],
    );
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..3 {
        stage.send::<Drained>("a", seq).await;
    }
    stage.send::<Drained>("b", 0).await;
    stage.committed_once(4).await;
    eventually("the attempt at b runs", async || {
        stage.probe.attempts("drain", "b", 0) == 3
    })
    .await;
    let opening = stage.open_after(DRAINS, "b may end");
    let (report, ()) = tokio::join!(running.shutdown(), opening);
    assert!(report.drained, "{report:?}");
    assert_eq!(stage.probe.done("drain"), pairs(&[("b", 0)]));
    let hint = stage.hint().await.expect("a hint is committed");
    let log = stage.read(&stage.parked_topic()).await;
    let of_a = |fact: &&Received| fact.key_text().as_deref() == Some("a");
    let first = facts(&log, "parked").find(of_a).expect("a-0 is parked");
    assert_eq!(hint.0, first.offset, "from the oldest open record on");
    assert!(hint.1.contains(':'), "with the claim in force: {}", hint.1);
    let running = stage.start_with(stage.parking_service()).await;
    stage.probe.open("now");
    stage.done_once("drain", 4).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("drain")[1..], in_order("a", 0..3));
    assert_eq!(
        stage.probe.attempts("drain", "b", 0),
        3,
        "b is not run again"
    );
    let log = stage.read(&stage.parked_topic()).await;
    let last = log.last().expect("the log is not empty").offset;
    let hint = stage.hint().await.expect("a hint is committed");
    assert!(
        hint.0 > last - 3,
        "nothing is open, so it is near the end: {hint:?}, {last}"
    );
    Verdict::Held
}

impl<C: Cluster> Stage<'_, C> {
    /// The committed hint of the first partition, and the claim in force there.
    pub(super) async fn hint(&self) -> Option<(i64, String)> {
        let committed = self.cluster.committed(self.name).await.unwrap_or_default();
        let hint = committed.get(&TopicPartition::new(self.parked_topic(), 0))?;
        Some((hint.watermark, hint.metadata.clone()))
    }
}
