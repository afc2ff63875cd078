//! Handlers that hold: what they depend on is down, or somebody paused them.
//!
//! While a handler holds in a lane, its slots take no work but for one probe at a time, in turn, and what fails does not
//! count as an attempt of its record: so a dead dependency parks and dead-letters nothing.

mod failing;
mod lanes;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use events_core::Class;
use tokio::time::{Instant, Sleep};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::deadline;
use crate::plan::HandlerPlan;
use crate::settings::Settings;
use crate::transport::TopicPartition;

use failing::Failing;
pub(crate) use lanes::Lanes;

/// Why a handler holds in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody paused it.
    Paused,
    /// It said that what it depends on is down.
    Unavailable,
    /// So many distinct keys failed in a row.
    KeysFail(usize),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("paused"),
            Self::Unavailable => f.write_str("what it depends on is unavailable"),
            Self::KeysFail(keys) => write!(f, "{keys} keys failed in a row"),
        }
    }
}

/// What is said of a handler that holds.
#[derive(Debug, Clone)]
pub(crate) struct Holding {
    pub(crate) handler: String,
    pub(crate) reason: Reason,
    pub(crate) age: Duration,
    /// It holds for longer than it may: failures count again.
    pub(crate) overdue: bool,
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            handler, reason, ..
        } = self;
        let seconds = self.age.as_secs();
        write!(f, "handler {handler} holds for {seconds} s: {reason}")
    }
}

/// One handler in one lane.
pub(crate) struct Hold {
    plan: Arc<HandlerPlan>,
    partition: TopicPartition,
    /// The partition's, for what the lanes know together.
    hash: u64,
    settings: Arc<Settings>,
    /// Whether slots must ask before they take work.
    closed: AtomicBool,
    /// Whether a success changes anything, here or in another lane of the handler.
    troubled: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Distinct keys of the lane that failed since its last success.
    failing: Failing<u64>,
    broken: Option<Broken>,
    /// Slots that have work and may not take it.
    waiting: BTreeMap<u32, Waker>,
    /// When it last held.
    ended: Option<Instant>,
}

struct Broken {
    reason: Reason,
    /// Too many keys fail of all lanes together, not of this one: a success in another lets it go on.
    by_others: bool,
    since: Instant,
    /// Since when nothing says that a dependency is down, so that the records themselves may be to blame.
    counts_from: Option<Instant>,
    /// The slot that probes now.
    probing: Option<u32>,
    /// The slot whose turn is next, and the one that had the last turn.
    chosen: Option<u32>,
    last: u32,
    wait: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Hold {
    pub(crate) fn new(
        plan: &Arc<HandlerPlan>,
        partition: &TopicPartition,
        settings: &Arc<Settings>,
    ) -> Arc<Self> {
        let hold = Arc::new(Self {
            plan: Arc::clone(plan),
            partition: partition.clone(),
            hash: xxh3_64_with_seed(
                partition.topic.as_bytes(),
                u64::from(partition.partition.cast_unsigned()),
            ),
            settings: Arc::clone(settings),
            closed: AtomicBool::new(false),
            troubled: AtomicBool::new(false),
            state: Mutex::default(),
        });
        plan.lanes.add(&hold);
        hold
    }

    pub(crate) fn is_of(&self, plan: &Arc<HandlerPlan>) -> bool {
        Arc::ptr_eq(&self.plan, plan)
    }

    /// Whether slots must ask before they take work.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A slot has work: whether it may take one record now. If not, it is woken when that may have changed.
    pub(crate) fn may_probe(&self, slot: u32, cx: &mut Context<'_>) -> bool {
        let mut state = self.state();
        state.waiting.insert(slot, cx.waker().clone());
        if self.plan.lanes.paused().is_some() {
            return false;
        }
        let State {
            broken, waiting, ..
        } = &mut *state;
        let Some(broken) = broken else {
            waiting.remove(&slot);
            return true;
        };
        if broken.probing.is_some() || broken.timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        let chosen = *broken.chosen.get_or_insert_with(|| {
            let after = waiting.range(broken.last + 1..).next();
            let next = after.or_else(|| waiting.iter().next());
            next.map_or(slot, |(slot, _)| *slot)
        });
        if chosen != slot {
            if let Some(waker) = waiting.get(&chosen) {
                waker.wake_by_ref();
            }
            return false;
        }
        waiting.remove(&slot);
        broken.chosen = None;
        broken.last = slot;
        broken.probing = Some(slot);
        true
    }

    /// A slot that waited for its turn has no work any more: another has the turn, and hears the timer.
    pub(crate) fn pass(&self, slot: u32) {
        let mut state = self.state();
        if state.waiting.remove(&slot).is_none() {
            return;
        }
        if let Some(broken) = &mut state.broken {
            broken.chosen.take_if(|chosen| *chosen == slot);
        }
        for waker in state.waiting.values() {
            waker.wake_by_ref();
        }
    }

    /// An attempt succeeded: whatever it depends on is there.
    pub(crate) fn succeeded(&self) {
        if !self.troubled.load(Ordering::Relaxed) {
            return;
        }
        self.troubled.store(false, Ordering::Relaxed);
        let mut state = self.state();
        state.failing = Failing::default();
        if let Some(broken) = state.broken.take() {
            tracing::info!(
                handler = %self.plan.stable_name, partition = %self.partition,
                held_ms = broken.since.elapsed().as_millis() as u64, "an attempt succeeded: the handler goes on"
            );
            state.ended = Some(Instant::now());
            self.wake(state);
        } else {
            drop(state);
        }
        for lane in self.plan.lanes.succeeded() {
            lane.succeeded_elsewhere();
        }
    }

    /// An attempt succeeded in another lane of the handler.
    fn succeeded_elsewhere(&self) {
        let mut state = self.state();
        if let Some(broken) = state.broken.take_if(|broken| broken.by_others) {
            tracing::info!(
                handler = %self.plan.stable_name, partition = %self.partition,
                held_ms = broken.since.elapsed().as_millis() as u64, "an attempt succeeded in another partition: the handler goes on"
            );
            state.ended = Some(Instant::now());
            self.wake(state);
        }
    }

    /// An attempt failed: whether that counts against its record.
    pub(crate) fn failed(&self, slot: u32, key: u64, class: Class) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        if class == Class::Terminal {
            // It tells of its record alone, so the next may be tried at once.
            if let Some(broken) = state.broken.as_mut().filter(|it| it.probing == Some(slot)) {
                broken.probing = None;
                broken.timer.as_mut().reset(now);
            }
            for waker in state.waiting.values() {
                waker.wake_by_ref();
            }
            return true;
        }
        self.troubled.store(true, Ordering::Relaxed);
        let unavailable = class == Class::Unavailable;
        let own = state.failing.add(key);
        let keys = self.plan.lanes.failed(self.hash, key).max(own);
        let overdue = state
            .broken
            .as_ref()
            .is_some_and(|broken| broken.is_overdue(self.settings.hold_max));
        if let Some(broken) = &mut state.broken {
            broken.by_others &= !unavailable;
            broken.counts_from = (!unavailable).then(|| broken.counts_from.unwrap_or(now));
            broken.reason = match unavailable {
                true => Reason::Unavailable,
                false => Reason::KeysFail(keys),
            };
            if broken.probing == Some(slot) {
                broken.probing = None;
                let (min, max) = self.settings.hold_probe;
                broken.wait = match overdue {
                    true => min,
                    false => broken.wait.saturating_mul(2).min(max),
                };
                broken
                    .timer
                    .as_mut()
                    .reset(deadline::later(now, broken.wait));
                // Somebody must hear the timer.
                for waker in state.waiting.values() {
                    waker.wake_by_ref();
                }
            }
            return !unavailable && overdue;
        }
        let limit = self.settings.breaker_keys.min(failing::MOST);
        if !unavailable && (limit == 0 || keys < limit) {
            return true;
        }
        let reason = match unavailable {
            true => Reason::Unavailable,
            false => Reason::KeysFail(keys),
        };
        let (min, _) = self.settings.hold_probe;
        state.broken = Some(Broken {
            reason,
            by_others: !unavailable && own < limit,
            since: now,
            counts_from: (!unavailable).then_some(now),
            probing: None,
            chosen: None,
            last: slot,
            wait: min,
            timer: Box::pin(tokio::time::sleep(min)),
        });
        self.closed.store(true, Ordering::Release);
        tracing::warn!(
            handler = %self.plan.stable_name, partition = %self.partition, %reason,
            "the handler holds: it is tried with one record at a time until one succeeds"
        );
        false
    }

    /// Why it holds, and since when.
    pub(crate) fn holding(&self) -> Option<Holding> {
        let state = self.state();
        let broken = state.broken.as_ref();
        let (reason, since) = match self.plan.lanes.paused() {
            Some(since) => (Reason::Paused, since),
            None => broken.map(|broken| (broken.reason, broken.since))?,
        };
        Some(Holding {
            handler: self.plan.stable_name.clone(),
            reason,
            age: since.elapsed(),
            overdue: reason != Reason::Paused
                && broken.is_some_and(|broken| broken.is_overdue(self.settings.hold_max)),
        })
    }

    /// When it last began to go on.
    pub(crate) fn ended(&self) -> Option<Instant> {
        self.state().ended
    }

    fn pause_changed(&self) {
        let mut state = self.state();
        if self.plan.lanes.paused().is_some() {
            self.closed.store(true, Ordering::Release);
        } else {
            state.ended = Some(Instant::now());
            self.wake(state);
        }
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let closed = state.broken.is_some() || self.plan.lanes.paused().is_some();
        self.closed.store(closed, Ordering::Release);
        for waker in std::mem::take(&mut state.waiting).into_values() {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broken {
    fn is_overdue(&self, most: Duration) -> bool {
        self.counts_from.is_some_and(|from| from.elapsed() >= most)
    }
}
