//! What the handlers of a scenario did, and what they shall do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use events_core::{Error, Result, Terminal, Unavailable};
use tokio::sync::Notify;

/// What an attempt shall do. Without a step it succeeds at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Fail with this text.
    Fail(&'static str),
    /// Fail now and ever after.
    FailAlways(&'static str),
    /// Fail until this gate is open, then succeed.
    FailUntil(&'static str),
    /// Fail because something is unavailable until this gate is open, then succeed.
    UnavailableUntil(&'static str),
    /// Fail without hope.
    Terminal(&'static str),
    /// Panic.
    Panic(&'static str),
    /// Wait until this gate is open, then succeed.
    Gate(&'static str),
    /// Never end.
    Hang,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Began,
    Succeeded,
    Failed,
    /// It was dropped before it ended.
    Dropped,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) handler: String,
    pub(crate) key: String,
    pub(crate) seq: u64,
    pub(crate) moment: Moment,
}

type Attempted = (String, String, u64);

/// Shared by a scenario and its handlers.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    inner: Mutex<Inner>,
    /// A gate has opened, for async attempts and for blocking ones.
    opened: Notify,
    opened_for_threads: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    steps: BTreeMap<Attempted, VecDeque<Step>>,
    open: BTreeSet<&'static str>,
    journal: Vec<Line>,
    notes: Vec<String>,
}

impl Probe {
    /// Says what the next attempts at a record shall do, in order.
    pub(crate) fn script(
        &self,
        handler: &str,
        key: &str,
        seq: u64,
        steps: impl IntoIterator<Item = Step>,
    ) {
        let attempted = (handler.to_owned(), key.to_owned(), seq);
        self.inner()
            .steps
            .entry(attempted)
            .or_default()
            .extend(steps);
    }

    /// Opens a gate for good.
    pub(crate) fn open(&self, gate: &'static str) {
        self.inner().open.insert(gate);
        self.opened.notify_waiters();
        self.opened_for_threads.notify_all();
    }

    /// Keeps a remark of a handler.
    pub(crate) fn note(&self, remark: impl Into<String>) {
        self.inner().notes.push(remark.into());
    }

    /// Remarks so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.inner().notes.clone()
    }

    /// One attempt of an async handler.
    pub(crate) async fn attempt(&self, handler: &str, key: &str, seq: u64) -> Result<()> {
        let (step, attempt) = self.begin(handler, key, seq);
        match step {
            Some(Step::Gate(gate)) => self.passed(gate).await,
            Some(Step::Hang) => std::future::pending().await,
            step => return attempt.end(act(step)),
        }
        attempt.end(Ok(()))
    }

    /// One attempt of a blocking handler.
    pub(crate) fn attempt_blocking(&self, handler: &str, key: &str, seq: u64) -> Result<()> {
        let (step, attempt) = self.begin(handler, key, seq);
        if let Some(Step::Gate(gate)) = step {
            let mut inner = self.inner();
            while !inner.open.contains(gate) {
                inner = self
                    .opened_for_threads
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            drop(inner);
            return attempt.end(Ok(()));
        }
        attempt.end(act(step))
    }

    fn begin(&self, handler: &str, key: &str, seq: u64) -> (Option<Step>, Attempt<'_>) {
        let line = Line {
            handler: handler.to_owned(),
            key: key.to_owned(),
            seq,
            moment: Moment::Began,
        };
        let mut inner = self.inner();
        inner.journal.push(line.clone());
        let Inner { steps, open, .. } = &mut *inner;
        let steps = steps.get_mut(&(line.handler.clone(), line.key.clone(), seq));
        let step = steps.and_then(|steps| match steps.front() {
            Some(Step::FailUntil(gate) | Step::UnavailableUntil(gate)) if open.contains(gate) => {
                None
            }
            Some(Step::FailAlways(_) | Step::FailUntil(_) | Step::UnavailableUntil(_)) => {
                steps.front().cloned()
            }
            _ => steps.pop_front(),
        });
        drop(inner);
        (
            step,
            Attempt {
                probe: self,
                line: Some(line),
            },
        )
    }

    async fn passed(&self, gate: &str) {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            // Enabled before looking, so that an opening in between is not missed.
            opened.as_mut().enable();
            if self.inner().open.contains(gate) {
                return;
            }
            opened.await;
        }
    }

    /// Everything that happened, in order.
    pub(crate) fn journal(&self) -> Vec<Line> {
        self.inner().journal.clone()
    }

    fn at(&self, handler: &str, moment: Moment) -> Vec<(String, u64)> {
        let inner = self.inner();
        let lines = inner
            .journal
            .iter()
            .filter(|line| line.handler == handler && line.moment == moment);
        lines.map(|line| (line.key.clone(), line.seq)).collect()
    }

    /// Records that a handler has done, in the order in which it did them.
    pub(crate) fn done(&self, handler: &str) -> Vec<(String, u64)> {
        self.at(handler, Moment::Succeeded)
    }

    /// Records that a handler began, once for each attempt.
    pub(crate) fn began(&self, handler: &str) -> Vec<(String, u64)> {
        self.at(handler, Moment::Began)
    }

    /// Whether an attempt at a record began.
    pub(crate) fn has_begun(&self, handler: &str, key: &str, seq: u64) -> bool {
        self.began(handler).contains(&(key.to_owned(), seq))
    }

    /// Whether a handler has done a record.
    pub(crate) fn has_done(&self, handler: &str, key: &str, seq: u64) -> bool {
        self.done(handler).contains(&(key.to_owned(), seq))
    }

    /// How many attempts at a record began.
    pub(crate) fn attempts(&self, handler: &str, key: &str, seq: u64) -> usize {
        self.began(handler)
            .iter()
            .filter(|(known, number)| known == key && *number == seq)
            .count()
    }

    /// The most attempts of a handler that were under way at once.
    pub(crate) fn most_at_once(&self, handler: &str) -> usize {
        let (mut now, mut most) = (0usize, 0);
        for line in self.journal().iter().filter(|line| line.handler == handler) {
            now = if line.moment == Moment::Began {
                now + 1
            } else {
                now.saturating_sub(1)
            };
            most = most.max(now);
        }
        most
    }

    /// Asserts D2: attempts of one handler at one key never overlap, and a record is first tried only when those
    /// before it are over.
    #[track_caller]
    pub(crate) fn assert_order(&self, handler: &str) {
        let mut under_way = BTreeSet::new();
        let mut reached: BTreeMap<String, u64> = BTreeMap::new();
        for line in self
            .journal()
            .into_iter()
            .filter(|line| line.handler == handler)
        {
            if line.moment != Moment::Began {
                under_way.remove(&line.key);
                continue;
            }
            assert!(
                under_way.insert(line.key.clone()),
                "two attempts at key {} overlap: {line:?}",
                line.key
            );
            let before = reached.insert(line.key.clone(), line.seq);
            assert!(
                before <= Some(line.seq),
                "key {} goes back from {before:?} to {}",
                line.key,
                line.seq
            );
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn act(step: Option<Step>) -> Result<()> {
    match step {
        None => Ok(()),
        Some(Step::Fail(text) | Step::FailAlways(text) | Step::FailUntil(text)) => {
            Err(Error::msg(text))
        }
        Some(Step::UnavailableUntil(text)) => Err(Unavailable::msg(text).into()),
        Some(Step::Terminal(text)) => Err(Terminal::msg(text).into()),
        Some(Step::Panic(text)) => std::panic::panic_any(text),
        // Both wait, which the callers do.
        Some(Step::Gate(_) | Step::Hang) => Ok(()),
    }
}

/// Writes down how an attempt ends, also when it is dropped.
struct Attempt<'a> {
    probe: &'a Probe,
    line: Option<Line>,
}

impl Attempt<'_> {
    fn end(mut self, outcome: Result<()>) -> Result<()> {
        self.write(if outcome.is_ok() {
            Moment::Succeeded
        } else {
            Moment::Failed
        });
        outcome
    }

    fn write(&mut self, moment: Moment) {
        if let Some(line) = self.line.take() {
            self.probe.inner().journal.push(Line { moment, ..line });
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.write(Moment::Dropped);
    }
}

/// A probe to be shared.
pub(crate) fn probe() -> Arc<Probe> {
    Arc::default()
}
