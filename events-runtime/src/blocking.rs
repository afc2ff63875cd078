//! Whether a blocking attempt has begun. It waits for a thread of tokio's blocking pool, which all handlers of a process share.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

const NONE: u8 = 0;
const WAITS: u8 = 1;
const RUNS: u8 = 2;
const WITHDRAWN: u8 = 3;

/// The start of a slot's blocking attempt, as its slot and the pool's thread know it. A slot has one attempt at a time.
#[derive(Debug, Default)]
pub(crate) struct BlockingStart {
    state: AtomicU8,
    began: Mutex<Option<Instant>>,
}

impl BlockingStart {
    /// The next attempt is handed to the pool.
    pub(crate) fn wait(&self) {
        self.set_began(None);
        self.state.store(WAITS, Ordering::Release);
    }

    /// A thread takes the attempt up; `false` if it was withdrawn, and so must not begin.
    pub(crate) fn begin(&self) -> bool {
        // Set before the state says so.
        self.set_began(Some(Instant::now()));
        self.change(WAITS, RUNS)
    }

    /// The attempt is over.
    pub(crate) fn end(&self) {
        self.state.store(NONE, Ordering::Release);
    }

    /// Sees to it that the attempt never begins; `false` if it has begun, or if there is none.
    pub(crate) fn withdraw(&self) -> bool {
        self.change(WAITS, WITHDRAWN) || self.state.load(Ordering::Acquire) == WITHDRAWN
    }

    /// Whether the attempt waits for a thread.
    pub(crate) fn waits(&self) -> bool {
        self.state.load(Ordering::Acquire) == WAITS
    }

    /// When the attempt began, if it has begun.
    pub(crate) fn began(&self) -> Option<Instant> {
        match self.waits() {
            true => None,
            false => *self.began.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn set_began(&self, began: Option<Instant>) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }

    fn change(&self, from: u8, to: u8) -> bool {
        let changed = self
            .state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        changed.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_begins_or_is_withdrawn() {
        let start = BlockingStart::default();
        assert!(!start.withdraw(), "there is none");
        start.wait();
        assert!(start.waits() && start.began().is_none());
        assert!(start.begin() && !start.withdraw());
        assert!(start.began().is_some());
        start.end();
        start.wait();
        assert!(start.began().is_none(), "the time of the one before");
        assert!(start.withdraw() && start.withdraw() && !start.begin());
    }
}
