//! Counts what was handled, and says when the first and the last of it came.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::machine;

/// The tally of this process. A child measures one thing, so there is one.
pub(crate) static TALLY: Tally = Tally::new();

/// More threads than any variant has.
const SHARDS: usize = 64;
/// How late the last record may be noticed.
const LOOK: Duration = Duration::from_millis(1);
/// How long nothing may happen before the run has failed.
const STALL: Duration = Duration::from_secs(60);

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// What one thread has handled. Nobody else writes it, so that counting costs next to nothing.
#[repr(align(128))]
struct Shard {
    count: AtomicU64,
    sum: AtomicU64,
}

/// Counts what was handled.
pub(crate) struct Tally {
    shards: [Shard; SHARDS],
    threads: AtomicUsize,
    first: OnceLock<Moment>,
    over: AtomicBool,
}

/// A point of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    cpu: f64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            cpu: machine::cpu_seconds(),
        }
    }

    /// Seconds, and processor seconds, since then.
    pub(crate) fn elapsed(self) -> (f64, f64) {
        (
            self.at.elapsed().as_secs_f64(),
            machine::cpu_seconds() - self.cpu,
        )
    }
}

impl Tally {
    const fn new() -> Self {
        Self {
            shards: [const {
                Shard {
                    count: AtomicU64::new(0),
                    sum: AtomicU64::new(0),
                }
            }; SHARDS],
            threads: AtomicUsize::new(0),
            first: OnceLock::new(),
            over: AtomicBool::new(false),
        }
    }

    /// Counts one record. `amount` is a figure from its payload: their sum says that each was handled once.
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        let mut index = SHARD.get();
        if index == usize::MAX {
            index = self.enter();
        }
        let shard = &self.shards[index];
        shard
            .count
            .store(shard.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        shard.sum.store(
            shard.sum.load(Ordering::Relaxed) + amount,
            Ordering::Relaxed,
        );
    }

    #[cold]
    fn enter(&self) -> usize {
        self.first.get_or_init(Moment::now);
        let index = self.threads.fetch_add(1, Ordering::Relaxed);
        assert!(index < SHARDS, "more than {SHARDS} threads handle records");
        SHARD.set(index);
        index
    }

    pub(crate) fn count(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.count.load(Ordering::Relaxed))
            .sum()
    }

    fn sum(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.sum.load(Ordering::Relaxed))
            .sum()
    }

    /// Whether the run is over: for loops that would otherwise never end.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Waits until `expected` records were handled, and answers when the first one was.
    pub(crate) fn wait(&self, expected: u64) -> Result<Moment> {
        let (mut seen, mut moved) = (0, Instant::now());
        loop {
            let count = self.count();
            if count >= expected
                && let Some(first) = self.first.get()
            {
                return Ok(*first);
            }
            if count != seen {
                (seen, moved) = (count, Instant::now());
            }
            if moved.elapsed() > STALL {
                bail!("nothing has moved for {STALL:?} after {seen} of {expected} records");
            }
            thread::sleep(LOOK);
        }
    }

    /// That every record was handled, and once.
    pub(crate) fn verify(&self, expected: u64, amount: u64) -> Result<()> {
        let (count, sum) = (self.count(), self.sum());
        if (count, sum) != (expected, amount) {
            bail!(
                "handled {count} records worth {sum} instead of {expected} worth {amount}: some were lost or handled twice"
            );
        }
        Ok(())
    }
}
