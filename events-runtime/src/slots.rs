//! The slots of a lane: for each handler, S queues chosen by the hash of the key.

mod lineup;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use events_core::engine::{Contained, Panicked, Slot, SlotFuture};
use tokio::task::coop::has_budget_remaining;

use crate::cell::SlotCell;
use crate::driver::Driver;
use crate::lane::context::LaneContext;
use crate::lane::shared::LaneShared;
use crate::slots::lineup::Lineup;
use crate::transport::Record;
use crate::wake::{ReadySlots, SlotWaker};
use crate::work::{Done, Published, Work};

pub(crate) struct SlotTable<R> {
    lane: Arc<LaneContext>,
    shared: Arc<LaneShared>,
    /// Those of each handler; none before its first record, since most of many handlers may never see one.
    slots: Vec<Vec<Entry<R>>>,
    /// How each handler's records are laid over its slots.
    lineups: Vec<Lineup>,
    /// The first slot of each handler, and behind the last the count of all.
    first: Vec<u32>,
    ready: Arc<ReadySlots>,
    /// Records of each handler that wait for a slot, in their order.
    waiting: Vec<VecDeque<Work<R>>>,
    /// Slots with something to do, and the buffer of those that are polled.
    dirty: Vec<u32>,
    polled: Vec<u32>,
    woken: Vec<u32>,
    done: Vec<Done>,
    published: Vec<Published<R>>,
    /// Records that first slots hand over to others of their handler.
    handed_over: Vec<(usize, VecDeque<Work<R>>)>,
}

struct Entry<R> {
    /// Routed since the slot was last polled.
    staged: VecDeque<Work<R>>,
    live: Option<Live<R>>,
    dirty: bool,
    /// Counted by the lineup, while records are spread.
    occupied: bool,
}

impl<R> Entry<R> {
    fn empty() -> Self {
        Self {
            staged: VecDeque::new(),
            live: None,
            dirty: false,
            occupied: false,
        }
    }

    /// Whether nothing of its records is left.
    fn is_empty(&self) -> bool {
        let live = self.live.as_ref();
        self.staged.is_empty()
            && live.is_none_or(|live| live.cell.is_empty() && !live.cell.is_busy())
    }

    /// Whether an attempt is under way.
    fn is_busy(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.cell.is_busy())
    }
}

/// A slot exists from its first record on.
struct Live<R> {
    cell: Arc<SlotCell<R>>,
    /// What it holds when it is dropped is the user's: an attempt, arguments, layers' futures.
    future: Contained<SlotFuture>,
    waker: Waker,
    flag: Arc<SlotWaker>,
}

/// What a poll of the slots brought.
pub(crate) struct Brought<'a, R> {
    pub(crate) handler: usize,
    /// Done records; emptied by the lane.
    pub(crate) done: &'a mut Vec<Done>,
    /// To be published; emptied by the lane.
    pub(crate) published: &'a mut Vec<Published<R>>,
}

impl<R: Record> SlotTable<R> {
    pub(crate) fn new(lane: Arc<LaneContext>, shared: &Arc<LaneShared>) -> Self {
        let mut first = vec![0];
        let mut count = 0;
        let handlers = &lane.topic.handlers;
        for handler in handlers {
            count += u32::from(handler.concurrency);
            first.push(count);
        }
        Self {
            slots: handlers.iter().map(|_| Vec::new()).collect(),
            lineups: handlers.iter().map(|_| Lineup::default()).collect(),
            waiting: handlers.iter().map(|_| VecDeque::new()).collect(),
            lane,
            first,
            ready: Arc::new(ReadySlots::new(Arc::clone(&shared.wake))),
            shared: Arc::clone(shared),
            dirty: Vec::new(),
            polled: Vec::new(),
            woken: Vec::new(),
            done: Vec::new(),
            published: Vec::new(),
            handed_over: Vec::new(),
        }
    }

    /// Puts a record behind those of its key.
    pub(crate) fn stage(&mut self, handler: usize, mut work: Work<R>) {
        work.lined_up = work.key;
        match self.lineups[handler].place(work.lined_up) {
            Some(place) => {
                if self.put(handler, place, work) {
                    self.dirty.push(self.first[handler] + place);
                }
            }
            None => self.waiting[handler].push_back(work),
        }
    }

    /// Puts a record into a slot. Answers whether the slot is to be polled for that.
    fn put(&mut self, handler: usize, place: u32, work: Work<R>) -> bool {
        let slots = &mut self.slots[handler];
        if slots.is_empty() {
            let count = self.first[handler + 1] - self.first[handler];
            slots.resize_with(count as usize, Entry::empty);
        }
        let entry = &mut slots[place as usize];
        let lineup = &mut self.lineups[handler];
        if lineup.is_spread() && !entry.occupied {
            entry.occupied = true;
            lineup.occupy();
        }
        entry.staged.push_back(work);
        // While an attempt is under way nothing else of the slot can begin: it is polled once that may have ended.
        let dirty = !entry.dirty && !entry.is_busy();
        entry.dirty |= dirty;
        dirty
    }

    /// Hands out the records that wait, as far as slots are free. Answers whether that slot has got one: it is polled again.
    fn refill(&mut self, handler: usize, place: usize) -> bool {
        let mut refilled = false;
        while let Some(work) = self.waiting[handler].front() {
            let Some(next) = self.lineups[handler].next(work.lined_up) else {
                break;
            };
            let Some(work) = self.waiting[handler].pop_front() else {
                break;
            };
            if self.put(handler, next, work) {
                match next as usize == place {
                    true => refilled = true,
                    false => self.dirty.push(self.first[handler] + next),
                }
            }
        }
        refilled
    }

    /// Polls every slot that was woken or has new records.
    ///
    /// # Errors
    ///
    /// A slot ended although nobody stopped it: its records would wait for ever, so the lane must say so.
    pub(crate) fn poll(&mut self, mut take: impl FnMut(Brought<'_, R>)) -> Result<bool, String> {
        let mut woken = std::mem::take(&mut self.woken);
        self.ready.take(&mut woken);
        for slot in woken.drain(..) {
            let (handler, place) = self.place(slot);
            let entry = &mut self.slots[handler][place];
            if !entry.dirty {
                entry.dirty = true;
                self.dirty.push(slot);
            }
        }
        self.woken = woken;
        let polled = std::mem::take(&mut self.polled);
        let mut dirty = std::mem::replace(&mut self.dirty, polled);
        let progress = !dirty.is_empty();
        let mut failure = None;
        let mut polled = 0;
        for slot in &dirty {
            let (handler, place) = self.place(*slot);
            loop {
                if let Err(reason) = self.poll_slot(*slot, handler, place) {
                    failure = Some(reason);
                }
                if !self.done.is_empty() || !self.published.is_empty() {
                    take(Brought {
                        handler,
                        done: &mut self.done,
                        published: &mut self.published,
                    });
                }
                if !self.refill(handler, place) {
                    break;
                }
            }
            polled += 1;
            // Without it, tokio's timers and sockets say "not yet" to whoever asks them.
            if !has_budget_remaining() {
                break;
            }
        }
        dirty.drain(..polled);
        if !dirty.is_empty() {
            dirty.append(&mut self.dirty);
            std::mem::swap(&mut self.dirty, &mut dirty);
        }
        self.polled = dirty;
        for (handler, works) in std::mem::take(&mut self.handed_over) {
            works.into_iter().for_each(|work| self.stage(handler, work));
        }
        failure.map_or(Ok(progress), Err)
    }

    /// Whose slot it is, and which of its handler's.
    fn place(&self, slot: u32) -> (usize, usize) {
        let handler = self.first.partition_point(|first| *first <= slot) - 1;
        (handler, (slot - self.first[handler]) as usize)
    }

    fn poll_slot(&mut self, slot: u32, handler: usize, place: usize) -> Result<(), String> {
        let entry = &mut self.slots[handler][place];
        entry.dirty = false;
        let live = match &mut entry.live {
            Some(live) => live,
            None if entry.staged.is_empty() => return Ok(()),
            live => live.insert(start(&self.lane, &self.shared, &self.ready, slot, handler)),
        };
        let spread = self.lineups[handler].is_spread();
        let gathers = place == 0 && !spread;
        if gathers {
            live.cell.set_gathers(true);
        }
        live.flag.queued.store(false, Ordering::Release);
        if !entry.staged.is_empty() {
            let mut exchange = live.cell.exchange();
            if exchange.inbox.is_empty() {
                std::mem::swap(&mut exchange.inbox, &mut entry.staged);
            } else {
                exchange.inbox.append(&mut entry.staged);
            }
        }
        let mut cx = Context::from_waker(&live.waker);
        let poll = || match live.future.get_mut() {
            Some(future) => future.as_mut().poll(&mut cx),
            None => Poll::Ready(()),
        };
        let polled = catch_unwind(AssertUnwindSafe(poll));
        {
            let mut exchange = live.cell.exchange();
            std::mem::swap(&mut exchange.done, &mut self.done);
            std::mem::swap(&mut exchange.published, &mut self.published);
            if spread {
                let done = self.done.iter().map(|done| done.lined_up);
                let published = self.published.iter().map(|left| left.work.lined_up);
                let lineup = &mut self.lineups[handler];
                done.chain(published).for_each(|key| lineup.finished(key));
            }
            if gathers && !live.cell.gathers() {
                let handed_over = std::mem::take(&mut exchange.handed_over);
                self.handed_over.push((handler, handed_over));
                let slots = self.first[handler + 1] - self.first[handler];
                self.lineups[handler].spread(slots, exchange.kept.drain(..));
                self.lineups[handler].occupy();
                entry.occupied = true;
            }
        }
        let outcome = Self::settle(
            entry,
            polled,
            &self.lane.topic.handlers[handler].stable_name,
        );
        self.lineups[handler].polled(place as u32, entry.is_busy());
        if entry.occupied && entry.is_empty() {
            entry.occupied = false;
            self.lineups[handler].vacate();
        }
        outcome
    }

    /// What a poll of a slot says of the slot itself.
    fn settle(
        entry: &mut Entry<R>,
        polled: thread::Result<Poll<()>>,
        name: &str,
    ) -> Result<(), String> {
        match polled {
            Ok(Poll::Pending) => Ok(()),
            Ok(Poll::Ready(())) => {
                let stopped = entry
                    .live
                    .take()
                    .is_some_and(|live| live.cell.is_stopping());
                if stopped {
                    Ok(())
                } else {
                    Err(format!("a slot of {name} ended by itself"))
                }
            }
            Err(panic) => {
                entry.live = None;
                Err(format!(
                    "a slot panicked outside its handler: {}",
                    Panicked::error(panic)
                ))
            }
        }
    }

    /// Lets attempts under way end, and drops everything else.
    pub(crate) fn stop(&mut self) {
        self.waiting.iter_mut().for_each(VecDeque::clear);
        for entry in self.slots.iter_mut().flatten() {
            entry.staged.clear();
            if let Some(live) = &entry.live {
                live.cell.stop();
                live.cell.exchange().inbox.clear();
                // What waits for a thread has not begun, and does not begin any more.
                if !live.cell.is_busy() || live.cell.start().withdraw() {
                    entry.live = None;
                }
            }
        }
    }

    /// Attempts under way.
    pub(crate) fn busy(&self) -> usize {
        let entries = self.slots.iter().flatten();
        entries.filter(|entry| entry.is_busy()).count()
    }

    /// Lets every attempt under way be polled, though nothing woke it.
    pub(crate) fn wake_busy(&mut self) {
        for (entries, first) in self.slots.iter_mut().zip(&self.first) {
            for (entry, slot) in entries.iter_mut().zip(*first..) {
                if !entry.dirty && entry.is_busy() {
                    entry.dirty = true;
                    self.dirty.push(slot);
                }
            }
        }
    }

    /// Drops every slot, and with it every attempt under way.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.waiting.clear();
        self.dirty.clear();
    }
}

fn start<R: Record>(
    lane: &Arc<LaneContext>,
    shared: &Arc<LaneShared>,
    ready: &Arc<ReadySlots>,
    slot: u32,
    handler: usize,
) -> Live<R> {
    let plan = &lane.topic.handlers[handler];
    let cell = Arc::new(SlotCell::new(Arc::clone(shared)));
    let driver = Driver::new(Arc::clone(lane), Arc::clone(plan), slot, Arc::clone(&cell));
    let slot_of_loop = Slot::new(Arc::clone(&lane.group.service), Box::new(driver));
    let flag = Arc::new(SlotWaker {
        ready: Arc::clone(ready),
        slot,
        queued: AtomicBool::new(false),
    });
    Live {
        future: Contained::new(plan.descriptor.run(slot_of_loop)),
        waker: Waker::from(Arc::clone(&flag)),
        cell,
        flag,
    }
}
