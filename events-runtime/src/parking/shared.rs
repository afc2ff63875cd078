//! What the slots of a lane and its lot know together: which keys are parked.

use std::collections::{BTreeMap, BTreeSet};
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
    /// With a token of its own.
    pub(crate) fn new(topic: String) -> Self {
        Self {
            topic,
            token: format!("{:016x}", fastrand::u64(..)),
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

    /// Looks at the pairs, or changes them.
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
    /// Source offsets of what was appended and is not acknowledged.
    pending: BTreeSet<i64>,
    /// What is acknowledged and may not have been read back, by source offset: where it stands in the parked log.
    unread: BTreeMap<i64, i64>,
    /// The highest offset in the parked log of what is.
    highest: i64,
    /// Open records of the pair that have been read back.
    open: usize,
}

impl Default for Appends {
    fn default() -> Self {
        Self {
            pending: BTreeSet::new(),
            unread: BTreeMap::new(),
            highest: i64::MIN,
            open: 0,
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

    /// The log has been read up to `position`, and so many records of the pair are open there.
    pub(crate) fn read_back(&mut self, pair: Pair, open: usize, position: i64) {
        if let Some(appends) = self.0.get_mut(&pair) {
            appends.unread.retain(|_, offset| *offset >= position);
            appends.open = open;
        }
    }

    /// Records of the pair that are parked, or on their way.
    pub(crate) fn count(&self, pair: Pair) -> usize {
        let appends = self.0.get(&pair);
        appends.map_or(0, |appends| {
            appends.open + appends.pending.len() + appends.unread.len()
        })
    }

    /// The record of the pair with the source offset `origin` is about to be appended.
    pub(crate) fn append(&mut self, pair: Pair, origin: i64) {
        self.0.entry(pair).or_default().pending.insert(origin);
    }

    /// It was acknowledged.
    pub(crate) fn appended(&mut self, pair: Pair, origin: i64, offset: i64) {
        let appends = self.0.entry(pair).or_default();
        appends.pending.remove(&origin);
        appends.unread.insert(origin, offset);
        appends.highest = appends.highest.max(offset);
    }

    /// Whether a copy of the record with the source offset `origin` may be on its way to the log, or stand in it from
    /// `position` on, where it has not been read back.
    pub(crate) fn is_on_its_way(&self, pair: Pair, origin: i64, position: i64) -> bool {
        self.0.get(&pair).is_some_and(|appends| {
            let unread = appends.unread.get(&origin);
            appends.pending.contains(&origin) || unread.is_some_and(|offset| *offset >= position)
        })
    }

    /// Whether a record from before `origin` may still be on its way, or stand in the log from `position` on, where it has
    /// not been read back: one that was refused for a moment is written behind those that followed it.
    pub(crate) fn may_be_overtaken(&mut self, pair: Pair, origin: i64, position: i64) -> bool {
        let Some(appends) = self.0.get_mut(&pair) else {
            return false;
        };
        appends.unread.retain(|_, offset| *offset >= position);
        let pending = appends.pending.first();
        let unread = appends.unread.first_key_value().map(|(origin, _)| origin);
        pending
            .into_iter()
            .chain(unread)
            .any(|first| *first < origin)
    }

    /// Lets the pair go, of which nothing is open, if all that was appended for it is acknowledged and lies below
    /// `position`, up to where the log has been read.
    pub(crate) fn release(&mut self, pair: Pair, position: i64) -> bool {
        let Some(appends) = self.0.get(&pair) else {
            return true;
        };
        let free = appends.pending.is_empty() && appends.highest < position;
        if free {
            self.0.remove(&pair);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_waits_for_an_earlier_one_until_that_has_been_read_back() {
        let pair = Pair { handler: 1, key: 2 };
        let mut pairs = Pairs::default();
        // Refused for a moment, so it is written behind the one that came later.
        pairs.append(pair, 6);
        pairs.append(pair, 7);
        pairs.appended(pair, 7, 100);
        assert!(pairs.may_be_overtaken(pair, 7, 101), "6 is on its way");
        pairs.appended(pair, 6, 101);
        assert!(
            pairs.may_be_overtaken(pair, 7, 101),
            "6 has not been read back"
        );
        assert!(!pairs.may_be_overtaken(pair, 7, 102));
        assert!(
            !pairs.may_be_overtaken(pair, 6, 101),
            "nothing stands before 6"
        );
    }
}
