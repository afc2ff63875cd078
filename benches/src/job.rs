//! What a child process is asked to do.

use serde::{Deserialize, Serialize};

/// The work that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// Headers, routing, dedupe, decoding, offsets.
    Consume,
    /// Decoding and offsets.
    Bare,
    /// Consume, and publish one event for each record.
    React,
    /// A handler that waits a millisecond.
    Slow,
    /// Publish at a low rate, and handle in the same process.
    Latency,
    /// Publish and wait for all acknowledgements.
    Publish,
    /// React to a steady load for long.
    Memory,
    /// The steady load.
    Load,
    /// Lay out a service, without a broker.
    Plan,
    /// From the start to the last assigned partition.
    Start,
    /// Consume while one key fails.
    Poison,
    /// Publish and handle at a steady rate while one key fails.
    PoisonLatency,
    /// Park every key.
    Park,
    /// Read again what is parked, and handle it.
    Unpark,
    /// Give every record up.
    GiveUp,
    /// Redrive what was given up, and handle it.
    Redrive,
    /// Consume and publish until standard input ends, or the process is killed.
    Killed,
    /// A member of a group, until its standard input ends.
    Member,
    /// What the members handle.
    MemberLoad,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Variant {
    /// The framework.
    Ours,
    /// The framework, with nothing in its way.
    Undisturbed,
    /// The framework with one handler for each topic.
    Few,
    /// By hand, on one thread.
    Raw,
    /// By hand, partition queues polled in turn on one thread.
    RawQueues,
    /// By hand, on two threads.
    RawThreads,
    /// By hand, one record at a time.
    Serial,
    /// By hand, a task for each of many lanes.
    RawLanes,
}

impl Variant {
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::Undisturbed | Self::Few)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Undisturbed => "ours, undisturbed",
            Self::Few => "ours, a handler for each topic",
            Self::Raw => "raw",
            Self::RawQueues => "raw, partition queues",
            Self::RawThreads => "raw, two threads",
            Self::Serial => "one at a time",
            Self::RawLanes => "raw, lanes of tasks",
        }
    }
}

/// What gives memory to a measured run, to the Kafka client under it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Allocator {
    /// The C library's: what users have who choose none.
    System,
    /// mimalloc.
    Mimalloc,
}

impl Allocator {
    /// In the order in which they are measured.
    pub(crate) const ALL: [Self; 2] = [Self::System, Self::Mimalloc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "the C library's allocator",
            Self::Mimalloc => "mimalloc",
        }
    }

    /// The program that is linked with it.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::System => "benchmarks",
            Self::Mimalloc => "benchmarks-mimalloc",
        }
    }
}

/// One measured run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) variant: Variant,
    pub(crate) allocator: Allocator,
    /// Where the broker is.
    pub(crate) address: String,
    /// The consumer group, new for each run; also what the run's own records are told by.
    pub(crate) group: String,
    /// Records to be handled or published.
    pub(crate) records: u64,
    /// How long, where the work is bounded by time.
    pub(crate) seconds: u64,
    /// Events per second, where the work is paced.
    pub(crate) rate: u64,
    /// Client properties to be tried out, `name=value`; both sides get them.
    pub(crate) set: Vec<String>,
    /// Settings of the framework to be tried out, `name=value`.
    pub(crate) engine: Vec<String>,
}

/// The pairs in `name=value`; what has no `=` is left out.
pub(crate) fn pairs(texts: &[String]) -> impl Iterator<Item = (&str, &str)> {
    texts.iter().filter_map(|text| text.split_once('='))
}
