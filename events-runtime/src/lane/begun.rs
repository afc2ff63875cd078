//! What a lane has begun and no commit covers (D3).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use crate::group::{CommitCount, Open};

/// A lane's part in the count of its member. The lane's task alone changes it, so that nothing is compared.
#[derive(Debug)]
pub(crate) struct Begun {
    count: Arc<CommitCount>,
    /// Attempts that may begin before the member is asked again.
    permits: AtomicU64,
    /// Attempts under way.
    running: AtomicU64,
    /// What the lane has reserved, but for what is done since.
    reserved: AtomicU64,
    /// What was open when the lane last said so. Only its task takes the lock, and what drops it.
    open: Mutex<Open>,
}

impl Begun {
    pub(crate) fn new(count: Arc<CommitCount>) -> Self {
        Self {
            count,
            permits: AtomicU64::new(0),
            running: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
            open: Mutex::default(),
        }
    }

    pub(crate) fn count(&self) -> &CommitCount {
        &self.count
    }

    /// Whether an attempt may begin; else the slot is to [`wait`](Self::wait).
    pub(crate) fn may_begin(&self) -> bool {
        if self.permits.load(Ordering::Relaxed) > 0 {
            return true;
        }
        let reserved = self.count.reserve();
        self.permits.store(reserved, Ordering::Relaxed);
        add(&self.reserved, reserved);
        reserved > 0
    }

    /// Wakes a slot once attempts may begin. `known` is what the slot was answered when it last waited.
    pub(crate) fn wait(&self, waker: &Waker, known: u64) -> u64 {
        self.count.wait(waker, known)
    }

    /// An attempt begins.
    pub(crate) fn begin(&self) {
        subtract(&self.permits, 1);
    }

    /// Whether an attempt is under way when its slot is left.
    pub(crate) fn set_running(&self, running: bool) {
        match running {
            true => add(&self.running, 1),
            false => subtract(&self.running, 1),
        }
    }

    /// So many records are done.
    pub(crate) fn done(&self, records: u64) {
        if records > 0 {
            let reserved = self.reserved.load(Ordering::Relaxed);
            subtract(&self.reserved, records);
            self.count.add(records, records.saturating_sub(reserved));
        }
    }

    /// At the end of a turn of the lane: what was reserved and not used is given back, also for attempts that failed.
    pub(crate) fn settle(&self, unacknowledged: u64, stuck: bool) {
        self.tell(Open {
            running: self.running.load(Ordering::Relaxed),
            unacknowledged,
            stuck,
        });
    }

    fn tell(&self, open: Open) {
        self.permits.store(0, Ordering::Relaxed);
        let reserved = self.reserved.swap(open.all(), Ordering::Relaxed);
        let before = {
            let mut told = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *told, open)
        };
        if reserved != open.all() || before != open {
            self.count.settle(reserved, before, open);
        }
    }
}

impl Drop for Begun {
    /// A lane that was aborted has given nothing back.
    fn drop(&mut self) {
        self.tell(Open::default());
    }
}

fn add(number: &AtomicU64, more: u64) {
    number.store(number.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

fn subtract(number: &AtomicU64, less: u64) {
    let rest = number.load(Ordering::Relaxed).saturating_sub(less);
    number.store(rest, Ordering::Relaxed);
}
