//! What all lanes of a handler know together: whether it is paused, and how many keys fail in a row.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::Instant;

use crate::hold::Hold;
use crate::hold::failing::Failing;

/// The lanes of a handler, in this process.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<State>);

#[derive(Default)]
struct State {
    /// Since when the handler is paused, in every lane that it has or will have.
    paused: Option<Instant>,
    lanes: Vec<Weak<Hold>>,
    /// Distinct keys that failed since the last success, each with the hash of its partition.
    failing: Failing<(u64, u64)>,
}

impl Lanes {
    /// Pauses the handler, or lets it go on; answers whether that is news.
    pub(crate) fn pause(&self, paused: bool) -> bool {
        let lanes = {
            let mut state = self.state();
            if state.paused.is_some() == paused {
                return false;
            }
            state.paused = paused.then(Instant::now);
            state.present()
        };
        for lane in lanes {
            lane.pause_changed();
        }
        true
    }

    pub(crate) fn paused(&self) -> Option<Instant> {
        self.state().paused
    }

    /// An attempt at a key of a partition failed; answers how many keys have, in a row.
    pub(super) fn failed(&self, partition: u64, key: u64) -> usize {
        let mut state = self.state();
        let failing = state.failing.add((partition, key));
        // A success in any lane is to be told.
        for lane in state.lanes.iter().filter_map(Weak::upgrade) {
            lane.troubled.store(true, Ordering::Relaxed);
        }
        failing
    }

    /// An attempt succeeded, so that no keys fail in a row any more. Answers the lanes, if any did.
    pub(super) fn succeeded(&self) -> Vec<Arc<Hold>> {
        let mut state = self.state();
        if state.failing.is_empty() {
            return Vec::new();
        }
        state.failing = Failing::default();
        state.present()
    }

    pub(super) fn add(&self, hold: &Arc<Hold>) {
        let mut state = self.state();
        state.lanes.retain(|lane| lane.strong_count() > 0);
        state.lanes.push(Arc::downgrade(hold));
        let paused = state.paused.is_some();
        hold.closed.store(paused, Ordering::Release);
        let troubled = !state.failing.is_empty();
        hold.troubled.store(troubled, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock, and no other lock is taken under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn present(&self) -> Vec<Arc<Hold>> {
        self.lanes.iter().filter_map(Weak::upgrade).collect()
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lanes").field(&self.paused()).finish()
    }
}
