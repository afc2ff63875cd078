//! How a handler runs, with every default filled in.

use serde::{Deserialize, Serialize};

use crate::policy::Park;

/// How a handler runs, with every default filled in. Times are in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The first wait between attempts.
    pub shortest_wait_ms: u64,
    /// The longest.
    pub longest_wait_ms: u64,
    /// How its failed keys wait; none if they are not parked.
    pub park: Option<ParkPolicy>,
    /// What becomes of exhausted records: `dead_letter` or `block`.
    pub exhausted: String,
    /// `key` or `none`.
    pub ordering: String,
    /// The longest time of one attempt.
    pub timeout_ms: u64,
    /// Keys of one partition that it works on at once.
    pub concurrency: u16,
    /// Whether records are told apart by source and id.
    pub dedupe: bool,
    /// Where its group starts.
    pub start: String,
    /// Whether it runs on the blocking pool.
    pub blocking: bool,
}

/// How failed keys wait. Times are in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParkPolicy {
    /// The first wait.
    pub shortest_wait_ms: u64,
    /// The longest.
    pub longest_wait_ms: u64,
    /// How long a record may be parked.
    pub max_age_ms: u64,
}

impl From<Park> for ParkPolicy {
    fn from(park: Park) -> Self {
        // Half a billion years fit.
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            shortest_wait_ms: millis(park.min),
            longest_wait_ms: millis(park.max),
            max_age_ms: millis(park.max_age),
        }
    }
}
