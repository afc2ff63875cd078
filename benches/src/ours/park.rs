//! Everything is parked, and later let go, on the framework.

pub(crate) mod redriven;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use events_core::{Error, Park, handler};
use events_kafka::Handle;
use events_runtime::{LaneStatus, Settings};

use crate::job::{Job, Variant};
use crate::measured;
use crate::ours::{on_tokio, start_with};
use crate::parcels::{KEYS, ParcelSent, key_of, total};
use crate::park::WAIT;
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::{Moment, TALLY};

const MODULE: &str = module_path!();
/// How late something may be noticed.
const LOOK: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(100);

/// Whether the handler fails.
static FAILING: AtomicBool = AtomicBool::new(false);
/// The first attempt.
static BEGUN: OnceLock<Moment> = OnceLock::new();
/// The number that each key must have next.
static NEXT: [AtomicU64; KEYS as usize] = [const { AtomicU64::new(u64::MAX) }; KEYS as usize];
/// Records that came out of order, or twice.
static DISORDER: AtomicU64 = AtomicU64::new(0);

#[handler]
async fn deliver(parcel: ParcelSent) -> events_core::Result<()> {
    BEGUN.get_or_init(Moment::now);
    if FAILING.load(Ordering::Relaxed) {
        return Err(Error::msg("the customer cannot be found"));
    }
    let number = parcel.0.number;
    let next = &NEXT[key_of(number) as usize];
    let expected = match next.swap(number + KEYS, Ordering::Relaxed) {
        u64::MAX => key_of(number),
        expected => expected,
    };
    if number != expected {
        DISORDER.fetch_add(1, Ordering::Relaxed);
    }
    TALLY.add(number);
    Ok(())
}

fn settings(settings: &mut Settings) {
    settings.park = Some(Park {
        min: WAIT,
        max: WAIT,
        ..Park::DEFAULT
    });
    // All keys fail on purpose, and at once.
    settings.breaker_keys = 0;
    settings.retry.attempts = 1;
}

/// From now on every attempt fails.
fn fail() {
    FAILING.store(true, Ordering::Relaxed);
}

/// When the first attempt began.
fn begun() -> Moment {
    BEGUN.get().copied().unwrap_or_else(Moment::now)
}

fn disorder() -> f64 {
    DISORDER.load(Ordering::Relaxed) as f64
}

/// Lets every key fail until all its records are parked: the first is appended, the others behind it.
pub(crate) fn park(job: &Job) -> Result<Sample> {
    fail();
    on_tokio(async {
        let handle = start_with(job, MODULE, settings).await?;
        parked(&handle, job.records).await?;
        let sample = measured::since(begun(), job.records);
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        Ok(sample)
    })
}

/// Reads what an earlier run has parked, and then handles it; the undisturbed one handles records that never failed.
pub(crate) fn unpark(job: &Job) -> Result<Sample> {
    let due = Instant::now() + WAIT;
    on_tokio(async {
        let handle = start_with(job, MODULE, settings).await?;
        // What is due meanwhile waits, so that rebuilding and handling are told apart.
        handle.pause("deliver")?;
        // Partitions are assigned one after the other, and each lane begins to read at once.
        until(&handle, |lanes| !lanes.is_empty()).await?;
        let begun = Instant::now();
        if job.variant == Variant::Undisturbed {
            taking(&handle).await?;
        } else {
            parked(&handle, job.records).await?;
        }
        let rebuilt = begun.elapsed().as_secs_f64();
        tokio::time::sleep_until(due.into()).await;
        handle.resume("deliver")?;
        let first = Moment::now();
        let records = job.records;
        let watched = tokio::task::spawn_blocking(move || TALLY.wait(records)).await?;
        let sample = measured::since(first, records);
        if let Err(error) = watched {
            return Err(error.context(told(&handle)));
        }
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        TALLY.verify(records, total(records))?;
        Ok(sample
            .with("rebuild_seconds", rebuilt)
            .with("disorder", disorder()))
    })
}

/// Waits until so many records are parked in lanes that own their logs.
async fn parked(handle: &Handle, records: u64) -> Result<()> {
    until(handle, |lanes| {
        let parked = lanes.iter().map(|lane| lane.parked_records as u64);
        lanes.len() == PARTITIONS as usize && parked.sum::<u64>() == records
    })
    .await
}

/// Waits until every lane takes records.
async fn taking(handle: &Handle) -> Result<()> {
    until(handle, |lanes| {
        let taking = lanes.iter().filter(|lane| lane.received > 0);
        taking.count() == PARTITIONS as usize
    })
    .await
}

async fn until(handle: &Handle, reached: impl Fn(&[LaneStatus]) -> bool) -> Result<()> {
    let begun = Instant::now();
    loop {
        let lanes = handle.status().lanes;
        if reached(&lanes) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!("nothing came of it: {}", told(handle));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Where the lanes stand.
fn told(handle: &Handle) -> String {
    let lanes = handle.status().lanes;
    let lines = lanes.iter().map(|lane| {
        format!(
            "{}: {} received, {} parked, {} in flight, holding {:?}, unhealthy {:?}\n",
            lane.partition,
            lane.received,
            lane.parked_records,
            lane.in_flight,
            lane.holding,
            lane.unhealthy
        )
    });
    lines.collect()
}
