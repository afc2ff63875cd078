//! What a running service says of itself. Health is progress (D12).

use serde::{Deserialize, Serialize};

use crate::transport::TopicPartition;

/// What a running service says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The service.
    pub service: String,
    /// Whether every lane advances or has nothing to do, and nothing else is wrong.
    pub healthy: bool,
    /// What is wrong with the service as a whole, such as a right that it has lost.
    #[serde(default)]
    pub troubles: Vec<String>,
    /// Its lanes, sorted by group and partition.
    pub lanes: Vec<LaneStatus>,
    /// Its handlers.
    pub handlers: Vec<HandlerStatus>,
}

/// One assigned partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// The consumer group.
    pub group: String,
    /// The partition.
    pub partition: TopicPartition,
    /// Which assignment of this process it is; the first is 1.
    pub epoch: u64,
    /// The first offset that is not done.
    pub watermark: i64,
    /// Records of the partition that are not done; none before the broker has told how long it is.
    pub lag: Option<u64>,
    /// Timestamp in milliseconds since the Unix epoch of the oldest record that was received and is not done, or of one at
    /// most 32 records before it.
    pub oldest_timestamp: Option<i64>,
    /// Records dispatched and not done.
    pub in_flight: usize,
    /// Attempts under way.
    pub running: usize,
    /// Records of failed keys, and behind them, that are held back.
    pub held: usize,
    /// Records whose emissions wait for their acknowledgement.
    pub unacknowledged: usize,
    /// Records received from the broker.
    pub received: u64,
    /// Records that nobody here wants.
    pub skipped: u64,
    /// Duplicates told apart.
    pub duplicates: u64,
    /// Records that the client delivered a second time within this assignment; they are not handled again.
    #[serde(default)]
    pub redelivered: u64,
    /// Positions committed with less of the offset map than there was, since it did not fit: what it left out is handled
    /// again after a kill or a rebalance.
    #[serde(default)]
    pub shortened_maps: u64,
    /// Blocking attempts that overran their time and still run.
    pub overdue: usize,
    /// Milliseconds since the watermark moved, or since there was nothing to do.
    pub idle_ms: u64,
    /// Why the lane is unhealthy; none if it is well.
    pub unhealthy: Option<String>,
    /// Whether the lane is unhealthy for a reason that ends with the process: a thread that does
    /// not come back, a part of the engine that has ended, or a claim in the parked log that came
    /// after the lane's own. Whatever else is wrong is there again after a restart, or heals without
    /// one.
    #[serde(default)]
    pub restart_helps: bool,
    /// Why the lane takes no further records for now.
    pub holding: Option<String>,
    /// Keys that are parked, over all handlers.
    pub parked_keys: usize,
    /// Records that are parked.
    pub parked_records: usize,
    /// When the oldest of them was parked, in milliseconds since the Unix epoch.
    pub oldest_parked: Option<i64>,
    /// Handlers that hold here: paused, or what they depend on is down. Others go on.
    pub holds: Vec<HoldStatus>,
    /// Failed keys that are tried again: at most 64, and at most 64 that are parked.
    pub troubles: Vec<TroubleStatus>,
}

impl LaneStatus {
    /// A lane that has not said anything of itself yet.
    pub(crate) fn unheard(group: &str, partition: &TopicPartition, epoch: u64) -> Self {
        Self {
            group: group.to_owned(),
            partition: partition.clone(),
            epoch,
            ..Self::default()
        }
    }
}

/// A handler that takes no work for now, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldStatus {
    /// `service/handler`.
    pub handler: String,
    /// Why: paused, unavailable, or keys that fail.
    pub reason: String,
    /// Milliseconds since it holds.
    pub age_ms: u64,
}

/// A failed key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TroubleStatus {
    /// `service/handler`.
    pub handler: String,
    /// The key.
    pub key: String,
    /// Offset of the failed record.
    pub offset: i64,
    /// Attempts made.
    pub attempts: u32,
    /// The last error with its causes.
    pub error: String,
    /// Milliseconds since the first failure.
    pub age_ms: u64,
    /// Whether the key is parked.
    pub parked: bool,
    /// Milliseconds until the next attempt of a parked key; 0 for one that is under way.
    pub next_ms: Option<u64>,
}

/// What a handler did since the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandlerStatus {
    /// `service/handler`.
    pub handler: String,
    /// The consumer group.
    pub group: String,
    /// Records done; what they emitted may still wait for its acknowledgement.
    pub handled: u64,
    /// Events emitted.
    pub emitted: u64,
    /// Attempts that failed and are made again.
    pub retried: u64,
    /// Records parked.
    pub parked: u64,
    /// Records given up.
    pub dead_lettered: u64,
    /// Blocking attempts that overran their time.
    pub overdue: u64,
    /// Duplicates that were told apart and not handled.
    pub duplicates: u64,
    /// Records handled of a later version than this build knows.
    #[serde(default)]
    pub later_versions: u64,
    /// The latest version among them.
    #[serde(default)]
    pub latest_version: Option<u32>,
}

/// How a service ended (D9).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ShutdownReport {
    /// Whether everything under way was finished in time.
    pub drained: bool,
    /// Records whose attempt, or whose emissions' acknowledgement, was abandoned. They are handled again by whoever gets
    /// the partition next.
    pub abandoned: usize,
    /// Blocking attempts that still ran when their partition was given up: an exception to order per key (D8).
    pub overdue: usize,
}

impl ShutdownReport {
    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        self.drained &= other.drained;
        self.abandoned += other.abandoned;
        self.overdue += other.overdue;
    }
}

impl std::fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.drained {
            f.write_str("drained")?;
        } else {
            write!(
                f,
                "abandoned {} records; they will be handled again",
                self.abandoned
            )?;
        }
        if self.overdue > 0 {
            write!(f, "; {} blocking attempts still run", self.overdue)?;
        }
        Ok(())
    }
}
