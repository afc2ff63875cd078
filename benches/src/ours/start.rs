//! Starts a service with many handlers, on the framework.

mod registry;

use std::time::Instant;

use anyhow::{Result, ensure};
use events_core::Registry;
use events_runtime::Service;

use crate::job::{Job, Variant};
use crate::measured;
use crate::ours::{assigned, on_tokio, runtime};
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::start::{HANDLERS, TOPICS};
use crate::tally::Moment;

/// From the start to the last partition.
pub(crate) fn run(job: &Job) -> Result<Sample> {
    let registry = wanted(job)?;
    on_tokio(async {
        let first = Moment::now();
        let handle = runtime(job, registry).ensure_topics(1, 1).spawn().await?;
        let (spawned, _) = first.elapsed();
        assigned(&handle, TOPICS.len() * PARTITIONS as usize).await?;
        let sample = measured::since(first, job.records);
        handle.drain().await;
        Ok(sample.with("spawn_ms", spawned * 1e3))
    })
}

/// Checks the service and lays it out: all that is done before the cluster is asked anything.
pub(crate) fn plan(job: &Job) -> Result<Sample> {
    let registry = wanted(job)?;
    let (begun, first) = (Instant::now(), Moment::now());
    let plans = Service::with_registry(&job.group, registry).plan()?;
    let plan_ms = begun.elapsed().as_secs_f64() * 1e3;
    let handlers = plans.iter().map(|plan| plan.handlers.len()).sum::<usize>();
    ensure!(
        handlers as u64 == job.records,
        "{handlers} handlers were laid out"
    );
    Ok(measured::since(first, job.records).with("plan_ms", plan_ms))
}

fn wanted(job: &Job) -> Result<Registry> {
    let mut registry = registry::of_many()?;
    if job.variant == Variant::Few {
        // Handler n takes an event of topic n modulo the number of topics.
        registry.handlers.truncate(TOPICS.len());
        registry.events.truncate(TOPICS.len());
    }
    ensure!(job.variant == Variant::Few || registry.handlers.len() == HANDLERS);
    Ok(registry)
}
