//! What the slots of a lane and its lot know together: which keys are parked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::parking::ledger::{Pair, Token};

/// The parked keys of a lane, and who it is in its parked log.
#[derive(Debug)]
pub(crate) struct ParkedShared {
    pub(crate) topic: String,
    pub(crate) token: Token,
    /// Parked pairs. Only while there are any do records look into `pairs`.
    count: AtomicUsize,
    pairs: Mutex<Pairs>,
}

impl ParkedShared {
    pub(crate) fn new(topic: String, token: Token) -> Self {
        Self {
            topic,
            token,
            count: AtomicUsize::new(0),
            pairs: Mutex::default(),
        }
    }

    /// Whether any pair is parked.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn is_parked(&self, pair: Pair) -> bool {
        self.any() && self.pairs().is_parked(pair)
    }

    /// Changes the pairs.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Pairs) -> T) -> T {
        let mut pairs = self.pairs();
        let answer = change(&mut pairs);
        self.count.store(pairs.0.len(), Ordering::Relaxed);
        answer
    }

    fn pairs(&self) -> MutexGuard<'_, Pairs> {
        // No code of users runs under this lock.
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pairs that are parked, each with what was appended for it.
#[derive(Debug, Default)]
pub(crate) struct Pairs(HashMap<Pair, Appends>);

#[derive(Debug)]
struct Appends {
    /// Appended and not acknowledged.
    pending: usize,
    /// The highest offset of one that was acknowledged.
    highest: i64,
}

impl Default for Appends {
    fn default() -> Self {
        Self {
            pending: 0,
            highest: i64::MIN,
        }
    }
}

impl Pairs {
    pub(crate) fn is_parked(&self, pair: Pair) -> bool {
        self.0.contains_key(&pair)
    }

    pub(crate) fn park(&mut self, pair: Pair) {
        self.0.entry(pair).or_default();
    }

    /// A record of the pair is about to be appended.
    pub(crate) fn append(&mut self, pair: Pair) {
        self.0.entry(pair).or_default().pending += 1;
    }

    /// It was acknowledged.
    pub(crate) fn appended(&mut self, pair: Pair, offset: i64) {
        let appends = self.0.entry(pair).or_default();
        appends.pending = appends.pending.saturating_sub(1);
        appends.highest = appends.highest.max(offset);
    }

    /// Lets the pair go, of which nothing is open, if all that was appended for it is acknowledged and lies below
    /// `position`, up to where the log has been read.
    pub(crate) fn release(&mut self, pair: Pair, position: i64) -> bool {
        let Some(appends) = self.0.get(&pair) else {
            return true;
        };
        let free = appends.pending == 0 && appends.highest < position;
        if free {
            self.0.remove(&pair);
        }
        free
    }
}
