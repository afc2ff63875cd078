//! How a worker behaves: everything that a test decides, handed over in one variable of the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a worker behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// The service that it runs: one stage.
    pub service: String,
    /// The file that it appends its history to.
    pub history: PathBuf,
    /// Where a new group starts.
    pub start: StartAt,
    /// How long each attempt takes.
    pub delay: Duration,
    /// Keys whose attempts by the handler `work` wait until a file exists.
    pub gates: BTreeMap<String, PathBuf>,
    /// Keys whose attempts fail.
    pub poison: Vec<String>,
    /// Attempts in all.
    pub attempts: u32,
    /// Shortest and longest wait between attempts.
    pub backoff: (Duration, Duration),
    /// The longest time of one attempt.
    pub timeout: Duration,
    /// How long it may drain.
    pub drain: Duration,
    /// How often it commits.
    pub commit_interval: Duration,
    /// Keys of one partition that it works on at once.
    pub concurrency: u16,
    /// Failed keys are parked: how long each of their records waits for its next attempt.
    pub park: Option<Duration>,
    /// Small bounds of memory: the bytes of all its lanes, with little bookkeeping for each.
    pub process_bytes: Option<usize>,
}

/// Where a new group starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartAt {
    /// At the log's start.
    Earliest,
    /// At the log's end.
    Latest,
    /// At a time, in milliseconds since the Unix epoch.
    Time(i64),
}

impl Behaviour {
    /// The variable that carries it.
    pub const VARIABLE: &'static str = "WORKER_BEHAVIOUR";

    /// Handles everything at once and without a failure, and commits often.
    pub fn plain(service: impl Into<String>, history: impl Into<PathBuf>) -> Self {
        Self {
            service: service.into(),
            history: history.into(),
            start: StartAt::Earliest,
            delay: Duration::ZERO,
            gates: BTreeMap::new(),
            poison: Vec::new(),
            attempts: 3,
            backoff: (Duration::from_millis(50), Duration::from_millis(200)),
            timeout: Duration::from_secs(120),
            drain: Duration::from_secs(20),
            commit_interval: Duration::from_millis(100),
            concurrency: 64,
            park: None,
            process_bytes: None,
        }
    }
}
