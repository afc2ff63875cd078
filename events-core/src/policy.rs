//! What is decided for a handler: retries, time-outs, where it starts, how much runs at once.

use std::fmt;
use std::time::Duration;

/// How often and how fast a failed attempt is made again.
///
/// The wait before attempt *n + 1* is drawn at random between half and all of `min · 2^(n-1)`, cut at `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included. At least 1.
    pub attempts: u32,
    /// The first wait.
    pub min: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Retry {
    /// Five attempts, waiting 50 ms to 1 s: about 1 s in all.
    pub const DEFAULT: Self = Self {
        attempts: 5,
        min: Duration::from_millis(50),
        max: Duration::from_secs(1),
    };

    /// The upper bound of the wait after `failed` attempts (1 or more).
    pub fn ceiling(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.min.saturating_mul(1 << doublings).min(self.max)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Where a group begins to read a partition for which it has committed nothing yet (D14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// At the log's start: nothing is missed. The default.
    #[default]
    Earliest,
    /// At the log's end: only what is published from now on.
    Latest,
    /// At the first record at or after this time (milliseconds since the Unix epoch).
    Time(i64),
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Earliest => f.write_str("earliest"),
            Self::Latest => f.write_str("latest"),
            Self::Time(millis) => write!(f, "{millis} ms"),
        }
    }
}

/// How a key waits whose record failed every attempt in its slot: durably and in order, while other keys go on.
///
/// The wait before the next attempt is drawn as [`Retry`] says, from these bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Park {
    /// The first wait.
    pub min: Duration,
    /// The longest wait.
    pub max: Duration,
    /// How long a record may be parked before it counts as exhausted.
    pub max_age: Duration,
}

impl Park {
    /// Waits of one minute to one hour, for one day.
    pub const DEFAULT: Self = Self {
        min: Duration::from_secs(60),
        max: Duration::from_secs(60 * 60),
        max_age: Duration::from_secs(24 * 60 * 60),
    };

    /// The upper bound of the wait after `failed` attempts (1 or more) of a parked record.
    pub fn ceiling(&self, failed: u32) -> Duration {
        let retry = Retry {
            attempts: 1,
            min: self.min,
            max: self.max,
        };
        retry.ceiling(failed)
    }
}

impl Default for Park {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether a handler's failed keys are parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parking {
    /// A record that failed every attempt is exhausted at once.
    Off,
    /// Its key is parked.
    On(Park),
}

/// What becomes of a record that is exhausted: every attempt and every wait has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Exhausted {
    /// It goes to the dead letters, and its key goes on. The default.
    #[default]
    DeadLetter,
    /// Its key waits for ever, and is tried again after the longest wait.
    Block,
}

/// Whether records of one key run one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Ordering {
    /// They do, in log order (D2). The default.
    #[default]
    Key,
    /// They do not: records of one key run at once, and a failed one waits alone.
    None,
}

/// What `#[handler(…)]` says about a handler; `None` means the runtime's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandlerOptions {
    /// Claims the handler for a service, whatever module it stands in.
    pub service: Option<&'static str>,
    /// A consumer group of its own, instead of its service's.
    pub group: Option<&'static str>,
    /// Where that group starts.
    pub start: Option<Start>,
    /// How many keys of one partition it works on at once (slots). At least 1.
    pub concurrency: Option<u16>,
    /// Attempts and waits.
    pub retry: Option<Retry>,
    /// Whether failed keys are parked, and how long they wait.
    pub park: Option<Parking>,
    /// What becomes of exhausted records.
    pub exhausted: Option<Exhausted>,
    /// Whether keys are kept in order.
    pub ordering: Ordering,
    /// The longest time of one attempt.
    pub timeout: Option<Duration>,
    /// Whether records are told apart by `(source, id)` in a window; off saves reading headers.
    pub dedupe: Option<bool>,
    /// The name that it had first, under which its delivery state is kept.
    pub renamed_from: Option<&'static str>,
    /// Event types over which this handler may close a cycle.
    pub allow_cycle: &'static [&'static str],
}

impl HandlerOptions {
    /// Nothing said.
    pub const NONE: Self = Self {
        service: None,
        group: None,
        start: None,
        concurrency: None,
        retry: None,
        park: None,
        exhausted: None,
        ordering: Ordering::Key,
        timeout: None,
        dedupe: None,
        renamed_from: None,
        allow_cycle: &[],
    };
}
