//! What passes between a lane and one of its slots, a batch at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::blocking::BlockingStart;
use crate::lane::shared::{Control, LaneShared};
use crate::work::{Done, Published, Work};

/// Shared by a lane and one slot. Both run in the lane's task, so the lock is never waited for.
#[derive(Debug)]
pub(crate) struct SlotCell<R> {
    exchange: Mutex<Exchange<R>>,
    lane: Arc<LaneShared>,
    /// An attempt is under way.
    busy: AtomicBool,
    /// The slot ends after the attempt under way.
    stop: AtomicBool,
    /// The slot works for all others: it hands over what it has once an attempt is not ready at once.
    gathers: AtomicBool,
    /// Nothing is in the slot: no record, no held key.
    empty: AtomicBool,
    /// Of its blocking attempt, if there is one.
    start: Arc<BlockingStart>,
    /// What the slot was answered when it last waited for room to begin.
    waits: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Exchange<R> {
    /// On the way in.
    pub(crate) inbox: VecDeque<Work<R>>,
    /// On the way out: records that this handler has done.
    pub(crate) done: Vec<Done>,
    /// On the way out: records that are done once these are acknowledged.
    pub(crate) published: Vec<Published<R>>,
    /// On the way out: records for other slots, in their order.
    pub(crate) handed_over: VecDeque<Work<R>>,
    /// On the way out: what the slots of records that stay here were chosen by, since an attempt is under way or their keys
    /// are held.
    pub(crate) kept: Vec<u64>,
}

impl<R> SlotCell<R> {
    pub(crate) fn new(lane: Arc<LaneShared>) -> Self {
        Self {
            lane,
            exchange: Mutex::new(Exchange {
                inbox: VecDeque::new(),
                done: Vec::new(),
                published: Vec::new(),
                handed_over: VecDeque::new(),
                kept: Vec::new(),
            }),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            gathers: AtomicBool::new(false),
            empty: AtomicBool::new(true),
            start: Arc::default(),
            waits: AtomicU64::new(0),
        }
    }

    pub(crate) fn exchange(&self) -> MutexGuard<'_, Exchange<R>> {
        // No code of users runs under this lock.
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The start of its blocking attempt.
    pub(crate) fn start(&self) -> &Arc<BlockingStart> {
        &self.start
    }

    pub(crate) fn set_busy(&self, busy: bool) {
        if self.is_busy() != busy {
            self.busy.store(busy, Ordering::Relaxed);
            self.lane.begun.set_running(busy);
        }
    }

    /// Whether an attempt may begin, as far as the member's commits go.
    pub(crate) fn may_begin(&self) -> bool {
        self.lane.begun.may_begin()
    }

    /// An attempt begins.
    pub(crate) fn begin(&self) {
        self.lane.begun.begin();
    }

    /// The slot is polled again once an attempt may begin.
    pub(crate) fn wait_to_begin(&self, waker: &Waker) {
        let known = self.waits.load(Ordering::Relaxed);
        let round = self.lane.begun.wait(waker, known);
        self.waits.store(round, Ordering::Relaxed);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    pub(crate) fn set_gathers(&self, gathers: bool) {
        self.gathers.store(gathers, Ordering::Relaxed);
    }

    pub(crate) fn gathers(&self) -> bool {
        self.gathers.load(Ordering::Relaxed)
    }

    pub(crate) fn set_empty(&self, empty: bool) {
        self.empty.store(empty, Ordering::Relaxed);
    }

    /// Whether nothing is in the slot, as of its last poll.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether no further attempt may begin. What the group tells the lane counts at once: a
    /// handler that blocks its thread keeps the lane from hearing it, and returns to its slot when
    /// the partition may have another owner.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.lane.control() != Control::Run
    }
}

impl<R> Drop for SlotCell<R> {
    /// Its attempt was dropped with it.
    fn drop(&mut self) {
        self.set_busy(false);
    }
}
