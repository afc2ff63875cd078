//! The work on the framework.

pub(crate) mod consume;
pub(crate) mod killed;
pub(crate) mod latency;
pub(crate) mod load;
pub(crate) mod members;
pub(crate) mod memory;
pub(crate) mod park;
pub(crate) mod poison;
pub(crate) mod publish;
pub(crate) mod react;
pub(crate) mod slow;
pub(crate) mod start;

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use events_core::Registry;
use events_kafka::{ClientOptions, Handle, Runtime};
use events_runtime::Settings;

use crate::job::{Job, pairs};
use crate::sample::Sample;
use crate::settings;

const ASSIGNMENT: Duration = Duration::from_secs(30);
/// How late something may be noticed.
const LOOK: Duration = Duration::from_millis(1);

/// The client's settings: those that both sides have. The environment has no say, since it would reach one side alone.
fn options(job: &Job) -> ClientOptions {
    let options = ClientOptions::without_environment().set("bootstrap.servers", &job.address);
    let both = settings::CONSUMER
        .into_iter()
        .chain(settings::PRODUCER)
        .chain(pairs(&job.set));
    both.fold(options, |options, (name, value)| options.set(name, value))
}

/// The handlers of `module` as a service that is named as the job's group is, with nothing changed but the client's
/// settings.
async fn start(job: &Job, module: &str) -> Result<Handle> {
    start_with(job, module, |_| ()).await
}

/// The same with other settings.
async fn start_with(job: &Job, module: &str, change: impl FnOnce(&mut Settings)) -> Result<Handle> {
    let runtime = runtime_of(job, module, change);
    // The topics that only the service itself needs are missing.
    Ok(runtime.ensure_topics(1, 1).spawn().await?)
}

fn runtime_of(job: &Job, module: &str, change: impl FnOnce(&mut Settings)) -> Runtime {
    let mut registry = Registry::linked();
    registry.handlers.retain(|handler| handler.module == module);
    runtime(job, registry).configure(change)
}

fn runtime(job: &Job, registry: Registry) -> Runtime {
    let runtime = Runtime::with_registry(&job.group, registry).client(options(job));
    runtime.configure(|settings| {
        for (name, value) in pairs(&job.engine) {
            let Ok(value) = value.parse() else { continue };
            match name {
                "lane_ahead" => settings.lane_ahead = value,
                "lane_records" => settings.lane_records = value,
                "batch" => settings.batch = value,
                "lane_emission_bytes" => settings.lane_emission_bytes = value,
                "park" if value == 0 => settings.park = None,
                _ => {}
            }
        }
    })
}

/// Waits until the service has that many partitions.
async fn assigned(handle: &Handle, partitions: usize) -> Result<()> {
    let begun = Instant::now();
    while handle.partitions() != partitions {
        ensure!(
            begun.elapsed() < ASSIGNMENT,
            "{} partitions were assigned instead of {partitions}",
            handle.partitions()
        );
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Runs the handlers of `module` until `watch`, which may block, has what it wants.
fn service(
    job: &Job,
    module: &str,
    watch: impl FnOnce() -> Result<Sample> + Send + 'static,
) -> Result<Sample> {
    service_with(job, module, |_| (), watch)
}

/// The same with other settings.
fn service_with(
    job: &Job,
    module: &str,
    change: impl FnOnce(&mut Settings),
    watch: impl FnOnce() -> Result<Sample> + Send + 'static,
) -> Result<Sample> {
    on_tokio(async {
        let handle = start_with(job, module, change).await?;
        let sample = tokio::task::spawn_blocking(watch).await??;
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        Ok(sample)
    })
}

fn on_tokio<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
