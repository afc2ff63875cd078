//! How long events were on their way, both ends in one process.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::events::Ping;
use crate::job::Job;
use crate::sample::Latency;

/// The arrivals of this process.
pub(crate) static ARRIVALS: LazyLock<Arrivals> = LazyLock::new(Arrivals::new);

/// Not counted: connections are made, caches filled.
const WARM_UP: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(10);

/// Latencies by event number.
pub(crate) struct Arrivals {
    clock: Instant,
    nanos: Mutex<Vec<Option<u64>>>,
}

impl Arrivals {
    fn new() -> Self {
        Self {
            clock: Instant::now(),
            nanos: Mutex::default(),
        }
    }

    /// Nanoseconds on the run's own clock.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// An event that is published right away.
    pub(crate) fn ping(&self, run: &str, number: u64) -> Ping {
        let padding = "so that the payload has about two hundred bytes, as those of the other measurements have".to_owned();
        Ping {
            run: run.to_owned(),
            number,
            sent_ns: self.now(),
            padding,
        }
    }

    /// An event has arrived. Those of earlier runs are not counted.
    pub(crate) fn note(&self, run: &str, ping: &Ping) {
        if ping.run == run {
            self.arrived(ping.number, ping.sent_ns);
        }
    }

    /// Event `number` of this run has arrived.
    pub(crate) fn arrived(&self, number: u64, sent_ns: u64) {
        let nanos = self.now().saturating_sub(sent_ns);
        let mut all = self.nanos.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number as usize;
        if all.len() <= place {
            all.resize(place + 1, None);
        }
        all[place] = Some(nanos);
    }

    /// Waits for all of them, and leaves out the warm-up.
    pub(crate) fn latency(&self, job: &Job) -> Result<Latency> {
        self.latency_of(job, total(job))
    }

    /// The same of a run in which only `expected` events are noted.
    pub(crate) fn latency_of(&self, job: &Job, expected: u64) -> Result<Latency> {
        let (total, skipped) = (expected as usize, warm_up(job) as usize);
        let begun = Instant::now();
        loop {
            let all = self.nanos.lock().unwrap_or_else(PoisonError::into_inner);
            let arrived = all.iter().flatten().count();
            if arrived == total {
                let mut measured: Vec<u64> = all[skipped..].iter().flatten().copied().collect();
                measured.sort_unstable();
                let at = |share: f64| {
                    measured[((measured.len() - 1) as f64 * share).round() as usize] as f64 / 1e6
                };
                return Ok(Latency {
                    p50_ms: at(0.5),
                    p99_ms: at(0.99),
                });
            }
            drop(all);
            if begun.elapsed() > PATIENCE {
                bail!("{arrived} of {total} events have arrived");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Events that are not counted.
pub(crate) fn warm_up(job: &Job) -> u64 {
    WARM_UP.as_secs() * job.rate
}

/// Events that a run publishes.
pub(crate) fn total(job: &Job) -> u64 {
    (WARM_UP.as_secs() + job.seconds) * job.rate
}

/// When event `number` is due.
pub(crate) fn due(begun: Instant, job: &Job, number: u64) -> Instant {
    begun
        + Duration::from_nanos(1_000_000_000 / job.rate) * u32::try_from(number).unwrap_or(u32::MAX)
}
