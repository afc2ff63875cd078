//! Publish and handle at a low rate, on the framework.

use std::sync::OnceLock;
use std::time::Instant;

use anyhow::Result;
use events_core::handler;

use crate::arrivals::{ARRIVALS, due, total};
use crate::events::Ping;
use crate::job::Job;
use crate::measured;
use crate::ours::{assigned, on_tokio, start};
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::Moment;

/// What this run's events are told by.
static RUN: OnceLock<String> = OnceLock::new();

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let run = RUN.get_or_init(|| job.group.clone());
    on_tokio(async {
        let handle = start(job, module_path!()).await?;
        let producer = handle.producer()?;
        assigned(&handle, PARTITIONS as usize).await?;
        let (begun, first) = (Instant::now(), Moment::now());
        for number in 0..total(job) {
            tokio::time::sleep_until(due(begun, job, number).into()).await;
            // Nobody waits for the receipt: that it was written shows when it arrives.
            drop(producer.enqueue(&ARRIVALS.ping(run, number)).await?);
        }
        let watched = job.clone();
        let latency = tokio::task::spawn_blocking(move || ARRIVALS.latency(&watched)).await??;
        let sample = Sample {
            latency: Some(latency),
            ..measured::since(first, total(job))
        };
        handle.drain().await;
        Ok(sample)
    })
}

#[handler]
async fn observe(ping: Ping) {
    if let Some(run) = RUN.get() {
        ARRIVALS.note(run, &ping);
    }
}
