//! How a worker behaves: everything that a scenario decides, handed over in one variable of the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a worker behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Its name in the history.
    pub who: String,
    /// The service that it runs, which is the consumer group too.
    pub group: String,
    /// The file that it appends to.
    pub history: PathBuf,
    /// The shortest and the longest time of an attempt.
    pub delay: (Duration, Duration),
    /// Seeds the choice between the two.
    pub seed: u64,
    /// What becomes of the attempts at some keys.
    pub fates: BTreeMap<String, Fate>,
    /// Failed keys are parked: the shortest and the longest wait, and the age at which a record is given up.
    pub park: Option<(Duration, Duration, Duration)>,
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
    /// Ids remembered to tell duplicates apart.
    pub dedupe_window: usize,
    /// Where it kills itself.
    pub kill: Option<Kill>,
}

/// What becomes of the attempts at a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Each takes so long.
    Slow(Duration),
    /// Each fails.
    Fail,
    /// Each fails for as long as the file exists.
    FailWhile(PathBuf),
    /// Each fails at once for as long as the file exists, and takes so long from then on.
    FailWhileThenSlow(PathBuf, Duration),
    /// The first of each task takes so long, the later ones go by.
    HangOnce(Duration),
}

/// Where a worker kills itself with SIGKILL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// The name of a failpoint.
    pub point: String,
    /// It is survived so often.
    pub after: u64,
}

impl Behaviour {
    /// The variable that carries it.
    pub const VARIABLE: &'static str = "FAULT_WORKER";

    /// Handles everything quickly and without a failure.
    pub fn plain(who: String, group: String, history: PathBuf) -> Self {
        Self {
            who,
            group,
            history,
            delay: (Duration::from_millis(2), Duration::from_millis(12)),
            seed: 0,
            fates: BTreeMap::new(),
            park: None,
            attempts: 3,
            backoff: (Duration::from_millis(100), Duration::from_millis(400)),
            timeout: Duration::from_secs(60),
            drain: Duration::from_secs(15),
            commit_interval: Duration::from_millis(500),
            dedupe_window: 16_384,
            kill: None,
        }
    }
}
