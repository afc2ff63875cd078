//! Waking a lane, and knowing which of its slots wants to run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Holds the waker of a lane's task.
#[derive(Debug, Default)]
pub(crate) struct WakeCell(Mutex<Option<Waker>>);

impl WakeCell {
    pub(crate) fn register(&self, waker: &Waker) {
        let mut cell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *cell {
            Some(known) => known.clone_from(waker),
            None => *cell = Some(waker.clone()),
        }
    }

    pub(crate) fn wake(&self) {
        let waker = {
            let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cell.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Which slots were woken.
#[derive(Debug)]
pub(crate) struct ReadySlots {
    list: Mutex<Vec<u32>>,
    wake: Arc<WakeCell>,
}

impl ReadySlots {
    pub(crate) fn new(wake: Arc<WakeCell>) -> Self {
        Self {
            list: Mutex::new(Vec::new()),
            wake,
        }
    }

    /// Swaps the woken slots into `into`, which must be empty.
    pub(crate) fn take(&self, into: &mut Vec<u32>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *list, into);
    }
}

/// The waker of one slot.
#[derive(Debug)]
pub(crate) struct SlotWaker {
    pub(crate) ready: Arc<ReadySlots>,
    pub(crate) slot: u32,
    pub(crate) queued: AtomicBool,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let first = {
            let mut list = self
                .ready
                .list
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            list.push(self.slot);
            list.len() == 1
        };
        if first {
            self.ready.wake.wake();
        }
    }
}
