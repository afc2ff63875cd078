//! What a cluster must offer to be put to the test.

use std::collections::BTreeMap;
use std::future::Future;

use events_core::Outgoing;
use events_runtime::{Position, Service, ShutdownReport, Status, TopicPartition, Written};

use crate::broker::Broker;
use crate::received::Received;

/// A cluster under test. Every scenario has topics and groups of its own, so that all can run on one cluster, once and
/// at the same time.
pub trait Cluster {
    /// A service that runs.
    type Running: Running;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Makes a topic, or grows one that has fewer partitions. Where a cluster outlives a run of the suite, the first
    /// call for a topic must delete what an earlier run left: the topic, and the group of its name.
    fn create_topic(
        &self,
        topic: &str,
        partitions: i32,
    ) -> impl Future<Output = anyhow::Result<()>>;

    /// Writes a record as it is, and waits for the acknowledgement.
    fn produce(&self, record: Outgoing) -> impl Future<Output = anyhow::Result<Written>>;

    /// All records of a topic, by partition and offset.
    fn read(&self, topic: &str) -> impl Future<Output = anyhow::Result<Vec<Received>>>;

    /// What a group has committed.
    fn committed(
        &self,
        group: &str,
    ) -> impl Future<Output = anyhow::Result<BTreeMap<TopicPartition, Position>>>;

    /// Starts one more member of a service. It keeps the service's settings as they are.
    fn start(&self, service: Service) -> impl Future<Output = anyhow::Result<Self::Running>>;

    /// Deletes records below an offset. Called only where [`Capabilities::retention`] says so.
    fn truncate(
        &self,
        partition: &TopicPartition,
        before: i64,
    ) -> impl Future<Output = anyhow::Result<()>>;

    /// Makes a partition's log go on with offsets that are no records, and answers the offset behind them. Called only where
    /// [`Capabilities::transactions`] says so.
    fn leave_gap(&self, partition: &TopicPartition) -> impl Future<Output = anyhow::Result<i64>>;

    /// The in-memory broker, if it is one: faults can be injected there alone.
    fn broker(&self) -> Option<&Broker> {
        None
    }
}

/// A service that runs.
pub trait Running {
    /// What it says of itself now, or said within the last commit interval.
    fn status(&self) -> impl Future<Output = Status>;

    /// Lets a handler take no more work; answers whether the service has it.
    fn pause(&self, handler: &str) -> bool;

    /// Lets a paused handler go on; answers whether the service has it.
    fn resume(&self, handler: &str) -> bool;

    /// Drains, commits, leaves its groups.
    fn shutdown(self) -> impl Future<Output = ShutdownReport>;

    /// Ends it without drain or commit. It may stay a member until the cluster notices. Called only where
    /// [`Capabilities::kill`] says so.
    fn kill(self) -> impl Future<Output = ()>;
}

/// What a cluster can do. Scenarios look at it, and say what is lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A group can start at a time.
    pub time_start: bool,
    /// Records below an offset can be deleted.
    pub retention: bool,
    /// A topic can grow.
    pub new_partitions: bool,
    /// A service can be killed, and its partitions are free within 20 seconds.
    pub kill: bool,
    /// A group can have several members.
    pub several_members: bool,
    /// Offsets are committed also while members join and leave.
    pub commits_in_a_rebalance: bool,
    /// Offset metadata is kept.
    pub metadata: bool,
    /// Failed keys can be parked.
    pub parking: bool,
    /// Logs have offsets that are no records, as those of transactional producers do.
    pub transactions: bool,
}

impl Capabilities {
    /// Everything.
    pub const ALL: Self = Self {
        time_start: true,
        retention: true,
        new_partitions: true,
        kill: true,
        several_members: true,
        commits_in_a_rebalance: true,
        metadata: true,
        parking: true,
        transactions: true,
    };
}

/// How a scenario ended, if it did not panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a scenario that was not run must say so"]
pub enum Verdict {
    /// The promise holds.
    Held,
    /// The cluster lacks what the scenario needs.
    Lacking(&'static str),
}

impl Verdict {
    /// Prints what was not run.
    pub fn report(self, scenario: &str) {
        if let Self::Lacking(what) = self {
            eprintln!("not run: {scenario}: the cluster has no {what}");
        }
    }
}
