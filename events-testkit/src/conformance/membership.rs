//! Leaving, and sharing the work (D8, D9).

use std::time::Duration;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::{Moment, Step};
use super::stage::{DRAINS, Stage, pairs, status_once};

subject!(Parting, part, "conformance-drain");

/// A drain lets attempts under way end, begins no others, commits, and says so (D9).
pub async fn a_drain_finishes_what_runs<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-drain", 1).await;
    stage
        .probe
        .script("part", "a", 0, [Step::Gate("a may go on")]);
    for seq in 0..3 {
        stage.send::<Parting>("a", seq).await;
    }
    let running = stage.start().await;
    stage.begun_once("part", "a", 0).await;
    // Before the drain is under way the others would begin too.
    let opening = stage.open_after(DRAINS, "a may go on");
    let (report, ()) = tokio::join!(running.shutdown(), opening);
    assert!(report.drained && report.abandoned == 0, "{report:?}");
    assert_eq!(stage.committed().await, 1);
    assert_eq!(stage.probe.done("part"), pairs(&[("a", 0)]));
    let running = stage.start().await;
    stage.committed_once(3).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.began("part"),
        pairs(&[("a", 0), ("a", 1), ("a", 2)]),
        "nothing is run twice"
    );
    Verdict::Held
}

subject!(Late, overstay, "conformance-abandon");

/// What does not end within the drain's time is dropped, counted, not committed, and done again by the next (D9).
pub async fn what_outlives_the_drain_is_abandoned<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-abandon", 1).await;
    stage.probe.script("overstay", "a", 0, [Step::Hang]);
    stage.probe.script("overstay", "b", 1, [Step::Hang]);
    stage.send::<Late>("a", 0).await;
    stage.send::<Late>("b", 1).await;
    stage.send::<Late>("c", 2).await;
    let service = stage
        .service()
        .configure(|settings| settings.drain = Duration::from_millis(50));
    let running = stage.start_with(service).await;
    stage.begun_once("overstay", "a", 0).await;
    stage.begun_once("overstay", "b", 1).await;
    stage.done_once("overstay", 1).await;
    let report = running.shutdown().await;
    assert!(!report.drained && report.abandoned == 2, "{report:?}");
    assert_eq!(stage.committed().await, 0);
    let dropped = stage
        .probe
        .journal()
        .iter()
        .filter(|line| line.moment == Moment::Dropped)
        .count();
    assert_eq!(
        dropped, 2,
        "an abandoned attempt is dropped before its partition is given up"
    );
    let running = stage.start().await;
    stage.committed_once(3).await;
    running.shutdown().await;
    if cluster.capabilities().metadata {
        assert_eq!(
            stage.probe.attempts("overstay", "c", 2),
            1,
            "the drain commits what is done above the watermark"
        );
    }
    Verdict::Held
}

subject!(Spread, spread, "conformance-rebalance");

/// Members that join and leave in the middle of work take over without loss, repetition or disorder (D8).
pub async fn members_come_and_go_cleanly<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().several_members {
        return Verdict::Lacking("several members in a group");
    }
    let stage = Stage::set(cluster, "conformance-rebalance", 4).await;
    let keys: Vec<String> = (0..40).map(|key| format!("k{key}")).collect();
    let mut seq = 0;
    let mut send = async |rounds: u64| {
        for _ in 0..rounds {
            for key in &keys {
                stage.send::<Spread>(key, seq).await;
            }
            seq += 1;
        }
    };
    // Something is always under way: each key waits at a gate once, on its way through.
    for key in &keys {
        stage
            .probe
            .script("spread", key, 2, [Step::Gate("the second is in")]);
        stage
            .probe
            .script("spread", key, 7, [Step::Fail("a hiccup")]);
    }
    send(5).await;
    // Every key fails once, and many may do so in a row: that is no dependency that is down.
    let service = || {
        let service = stage.service();
        service.configure(|settings| settings.breaker_keys = 0)
    };
    let first = stage.start_with(service()).await;
    stage.done_once("spread", 80).await;
    let opening = stage.open_after(Duration::from_millis(60), "the second is in");
    let (second, ()) = tokio::join!(stage.start_with(service()), opening);
    status_once(&second, "the second member has partitions", |status| {
        !status.lanes.is_empty()
    })
    .await;
    send(5).await;
    stage.done_once("spread", 300).await;
    let report = first.shutdown().await;
    assert!(report.drained, "{report:?}");
    send(5).await;
    let third = stage.start_with(service()).await;
    send(5).await;
    stage.done_once("spread", 800).await;
    stage.committed_once(800).await;
    assert!(second.shutdown().await.drained);
    assert!(third.shutdown().await.drained);
    assert_eq!(
        stage.probe.done("spread").len(),
        800,
        "nothing is lost, nothing is done twice"
    );
    stage.probe.assert_order("spread");
    for key in &keys {
        let done: Vec<_> = stage
            .probe
            .done("spread")
            .into_iter()
            .filter(|(known, _)| known == key)
            .collect();
        assert_eq!(
            done,
            (0..20).map(|seq| (key.clone(), seq)).collect::<Vec<_>>()
        );
    }
    Verdict::Held
}

subject!(Inherited, inherit, "conformance-takeover");

/// When a member dies, another takes its partitions over; what was not done is done again (D1).
pub async fn another_member_takes_over_after_a_kill<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.several_members && capabilities.kill) {
        return Verdict::Lacking("several members in a group, or no kill");
    }
    let stage = Stage::set(cluster, "conformance-takeover", 2).await;
    let keys: Vec<String> = (0..10).map(|key| format!("k{key}")).collect();
    let first = stage.start().await;
    let second = stage.start().await;
    for (running, name) in [(&first, "first"), (&second, "second")] {
        status_once(
            running,
            &format!("the {name} member has a partition"),
            |status| status.lanes.len() == 1,
        )
        .await;
    }
    for key in &keys {
        stage.probe.script("inherit", key, 1, [Step::Hang]);
    }
    for seq in 0..3 {
        for key in &keys {
            stage.send::<Inherited>(key, seq).await;
        }
    }
    for key in &keys {
        stage.begun_once("inherit", key, 1).await;
    }
    // What was done by now is known, so it is not done again.
    stage.committed_once(10).await;
    first.kill().await;
    second.kill().await;
    let third = stage.start().await;
    stage.committed_once(30).await;
    third.shutdown().await;
    for key in &keys {
        assert!(
            stage.probe.has_done("inherit", key, 1) && stage.probe.has_done("inherit", key, 2),
            "{key}"
        );
    }
    stage.probe.assert_order("inherit");
    Verdict::Held
}
