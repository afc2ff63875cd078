//! At a steady rate: how long the other keys' events are on their way.

use std::sync::OnceLock;
use std::time::Instant;

use anyhow::Result;
use events_core::handler;

use crate::arrivals::{ARRIVALS, due, total, warm_up};
use crate::job::Job;
use crate::measured;
use crate::ours::poison::{poison, settings, treat};
use crate::ours::{assigned, on_tokio, start_with};
use crate::parcels::{Parcel, ParcelMoved, others};
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::Moment;

/// What this run's events are told by.
static RUN: OnceLock<String> = OnceLock::new();

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let run = RUN.get_or_init(|| job.group.clone());
    // What is measured holds the first failure, and all that follows.
    poison(job, warm_up(job));
    on_tokio(async {
        let handle = start_with(job, module_path!(), settings).await?;
        let producer = handle.producer()?;
        assigned(&handle, PARTITIONS as usize).await?;
        let (begun, first) = (Instant::now(), Moment::now());
        for number in 0..total(job) {
            tokio::time::sleep_until(due(begun, job, number).into()).await;
            let parcel = Parcel {
                run: run.clone(),
                sent_ns: ARRIVALS.now(),
                ..Parcel::numbered(number)
            };
            // Nobody waits for the receipt: that it was written shows when it arrives.
            drop(producer.enqueue(&ParcelMoved(parcel)).await?);
        }
        let (watched, (expected, _)) = (job.clone(), others(total(job)));
        let latency =
            tokio::task::spawn_blocking(move || ARRIVALS.latency_of(&watched, expected)).await??;
        let sample = Sample {
            latency: Some(latency),
            ..measured::since(first, total(job))
        };
        handle.drain().await;
        Ok(sample)
    })
}

#[handler]
async fn deliver(parcel: ParcelMoved) -> events_core::Result<()> {
    let Parcel {
        number,
        sent_ns,
        run,
        ..
    } = parcel.0;
    // Records of earlier runs are not counted, and do not fail.
    if RUN.get() != Some(&run) {
        return Ok(());
    }
    treat(number, || ARRIVALS.arrived(number, sent_ns))
}
