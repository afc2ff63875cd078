//! When positions are committed (D3 a).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use events_runtime::{Position, TopicPartition};
use tokio::time::Instant;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::probe::Step;
use super::stage::{Stage, Subject, record_of, status_once};
use crate::eventually;

const PARTITIONS: i32 = 4;
/// Longer than anything else that a scenario waits for.
const LONG: Duration = Duration::from_secs(3600);

impl<C: Cluster> Stage<'_, C> {
    /// Publishes an event into a partition; the key is the partition's.
    async fn send_to<E: Subject>(&self, partition: i32, key: &str, seq: u64) {
        let event = E::new(&format!("{key}-{partition}"), seq);
        let mut record = record_of(&event, &format!("{key}-{partition}-{seq}"));
        record.partition = Some(partition);
        self.produce(record).await;
    }

    /// What is committed for each partition of the scenario's topic.
    async fn positions(&self) -> BTreeMap<TopicPartition, Position> {
        let committed = self.cluster.committed(self.name).await.unwrap_or_default();
        let own = committed.into_iter();
        own.filter(|(partition, _)| partition.topic == self.name)
            .collect()
    }
}

subject!(Staying, free, "conformance-staying");
// Each has slots of its own, so that no key waits behind another's by chance.
reader!(Staying, first_of_three, "conformance-staying");
reader!(Staying, second_of_three, "conformance-staying");
reader!(Staying, third_of_three, "conformance-staying");
reader!(Staying, last, "conformance-staying");

/// Handlers that are held up by a gate of their name, which opens while partitions drain.
const GATED: [&str; 3] = ["first_of_three", "second_of_three", "third_of_three"];
/// A record that is not begun for so long is in a partition that drains, or whose client is kept from reading it.
const STILL: Duration = Duration::from_secs(2);

/// While partitions that move to another member drain, all partitions are committed as at any other time.
pub async fn commits_go_on_while_partitions_drain<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.commits_in_a_rebalance && capabilities.metadata) {
        return Verdict::Lacking("commits within a rebalance, or no offset metadata");
    }
    let stage = Stage::set(cluster, "conformance-staying", PARTITIONS).await;
    for partition in 0..PARTITIONS {
        let key = format!("k-{partition}");
        for handler in GATED.into_iter().chain(["last"]) {
            stage.probe.script(handler, &key, 0, [Step::Gate(handler)]);
        }
        stage.send_to::<Staying>(partition, "k", 0).await;
    }
    // Longer than the scenario looks at a drain, and within what a client allows between two polls.
    let service = || {
        let service = stage.service();
        service.configure(|settings| {
            settings.drain = Duration::from_secs(120);
            settings.timeout = LONG;
        })
    };
    let first = stage.start_with(service()).await;
    for handler in GATED.into_iter().chain(["last"]) {
        eventually(&format!("{handler} waits in each partition"), async || {
            stage.probe.began(handler).len() == PARTITIONS as usize
        })
        .await;
    }
    let second = stage.start_with(service()).await;
    let mut seq = 0;
    let mut still = false;
    while !still {
        seq += 1;
        for partition in 0..PARTITIONS {
            stage.send_to::<Staying>(partition, "k", seq).await;
        }
        let sent = Instant::now();
        eventually("they are begun, or their partitions drain", async || {
            let began = stage.probe.began("free");
            let began = began.iter().filter(|(_, number)| *number == seq);
            still = sent.elapsed() >= STILL;
            still || began.count() == PARTITIONS as usize
        })
        .await;
    }
    for gate in GATED {
        let before = stage.positions().await;
        assert_eq!(before.len(), PARTITIONS as usize);
        stage.probe.open(gate);
        eventually(&format!("what {gate} did is committed"), async || {
            let now = stage.positions().await;
            before
                .iter()
                .all(|(name, position)| now.get(name) != Some(position))
        })
        .await;
    }
    stage.probe.open("last");
    status_once(&second, "the second member has partitions", |status| {
        !status.lanes.is_empty()
    })
    .await;
    let all = i64::from(PARTITIONS) * (seq as i64 + 1);
    stage.committed_once(all).await;
    assert!(first.shutdown().await.drained && second.shutdown().await.drained);
    for handler in GATED.into_iter().chain(["free", "last"]) {
        let done = stage.probe.done(handler);
        assert_eq!(
            done.len() as i64,
            all,
            "{handler} does nothing twice: {done:?}"
        );
    }
    Verdict::Held
}

subject!(Counted, count, "conformance-commit-count");

/// The records of all lanes of a member together make a commit due before its tick.
pub async fn a_member_s_records_make_a_commit_due<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-commit-count", PARTITIONS).await;
    let service = stage.service().configure(|settings| {
        settings.commit_interval = LONG;
        settings.commit_records = 60;
    });
    let running = stage.start_with(service).await;
    stage.send_to::<Counted>(0, "k", 0).await;
    // If there is a tick at the start, it is over.
    stage.done_once("count", 1).await;
    for seq in 1..=10 {
        for partition in 0..PARTITIONS {
            stage.send_to::<Counted>(partition, "k", seq).await;
        }
    }
    // Half of the bound, of which each lane has a part.
    eventually("a commit was due", async || stage.committed().await >= 30).await;
    stage.done_once("count", 41).await;
    assert!(running.shutdown().await.drained);
    assert_eq!(stage.committed().await, 41);
    Verdict::Held
}

subject!(Bounded, bound, "conformance-commit-bound");

/// A kill repeats no more records than may be done between two commits, however fast they are.
pub async fn a_kill_repeats_no_more_than_the_bound<C: Cluster>(cluster: &C) -> Verdict {
    const BOUND: usize = 100;
    if !cluster.capabilities().kill {
        return Verdict::Lacking("kill");
    }
    let stage = Stage::set(cluster, "conformance-commit-bound", PARTITIONS).await;
    for seq in 0..1_000 {
        for partition in 0..PARTITIONS {
            stage.send_to::<Bounded>(partition, "k", seq).await;
        }
    }
    let service = || {
        stage.service().configure(|settings| {
            settings.commit_interval = LONG;
            settings.commit_records = BOUND as u64;
        })
    };
    for kill in 1..=3 {
        let running = stage.start_with(service()).await;
        stage.done_once("bound", kill * 900).await;
        running.kill().await;
    }
    let running = stage.start_with(service()).await;
    let all = || {
        stage
            .probe
            .done("bound")
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    eventually("all are done", async || all().len() == 4_000).await;
    running.shutdown().await;
    let repeated = stage.probe.done("bound").len() - 4_000;
    assert!(repeated <= 3 * BOUND, "{repeated} repeated by three kills");
    Verdict::Held
}
