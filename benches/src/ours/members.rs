//! One of several members of a group, on the framework.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use events_core::{Meta, handler};
use events_kafka::Producer;

use crate::job::Job;
use crate::measured;
use crate::members::MEMBERS;
use crate::ours::{assigned, on_tokio, options, start};
use crate::parcels::{Parcel, ParcelMoved};
use crate::sample::{Handled, Sample};
use crate::session::READY;
use crate::settings::PARTITIONS;
use crate::tally::Moment;

/// Between two bursts of the load.
const TICK: Duration = Duration::from_millis(5);

/// What this member has handled.
static HANDLED: Mutex<Vec<Handled>> = Mutex::new(Vec::new());

/// Runs until standard input ends.
pub(crate) fn run(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let first = Moment::now();
        let handle = start(job, module_path!()).await?;
        assigned(&handle, PARTITIONS as usize / MEMBERS).await?;
        // Not before: a runtime that ends with an error would wait for this for ever.
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        print!("{READY}");
        std::io::Write::flush(&mut std::io::stdout())?;
        end.await??;
        let left = Instant::now();
        let report = handle.drain().await;
        ensure!(report.drained, "the member did not drain: {report}");
        let drain = left.elapsed().as_secs_f64();
        let handled = std::mem::take(&mut *HANDLED.lock().unwrap_or_else(PoisonError::into_inner));
        let records = handled.len() as u64;
        let sample = Sample {
            handled,
            ..measured::since(first, records)
        };
        Ok(sample.with("drain_seconds", drain))
    })
}

#[handler]
async fn deliver(parcel: ParcelMoved, meta: Meta) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let handled = Handled {
        number: parcel.0.number,
        partition: meta.partition,
        at_us: since.map_or(0, |since| since.as_micros() as u64),
    };
    HANDLED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(handled);
}

/// A steady load for all members.
pub(crate) fn load(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let producer = Producer::connect(&job.group, options(job))?;
        let (begun, first) = (Instant::now(), Moment::now());
        let until = Duration::from_secs(job.seconds);
        let mut sent = 0;
        while begun.elapsed() < until {
            let due = (begun.elapsed().as_secs_f64() * job.rate as f64) as u64;
            let parcels = (sent..due).map(|number| ParcelMoved(Parcel::numbered(number)));
            producer.publish_all(parcels).await?;
            sent = due;
            tokio::time::sleep(TICK).await;
        }
        producer.close(Duration::from_secs(10)).await;
        Ok(measured::since(first, sent))
    })
}
