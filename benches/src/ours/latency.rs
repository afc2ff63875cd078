//! Publish and handle at a low rate, on the framework.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use events_core::handler;

use crate::arrivals::{ARRIVALS, due, total};
use crate::events::Ping;
use crate::job::Job;
use crate::measured;
use crate::ours::{on_tokio, start};
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::Moment;

/// What this run's events are told by.
static RUN: OnceLock<String> = OnceLock::new();
const ASSIGNMENT: Duration = Duration::from_secs(30);

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let run = RUN.get_or_init(|| job.group.clone());
    on_tokio(async {
        let handle = start(job, module_path!()).await?;
        let producer = handle.producer()?;
        let begun = Instant::now();
        while handle.partitions() < PARTITIONS as usize {
            ensure!(begun.elapsed() < ASSIGNMENT, "no partitions were assigned");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
