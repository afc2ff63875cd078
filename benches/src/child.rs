//! A child process: does one job and prints what it brought as a line of JSON.

use anyhow::{Context, Result, bail};

use crate::job::{Job, Variant, Work};
use crate::{ours, raw};

pub(crate) fn run(job: &str) -> Result<()> {
    let job: Job = serde_json::from_str(job).context("the job of a child")?;
    // Nobody listens to the framework's log lines unless RUST_LOG asks for them, so they cost nothing.
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let ours = job.variant.is_ours();
    let sample = match job.work {
        Work::Consume if ours => ours::consume::routed(&job),
        Work::Bare if ours => ours::consume::bare(&job),
        Work::Consume | Work::Bare => raw::consume::run(&job),
        Work::React if ours => ours::react::run(&job),
        Work::React => raw::react::run(&job),
        Work::Slow if ours => ours::slow::run(&job),
        Work::Slow if job.variant == Variant::RawLanes => raw::lanes::run(&job),
        Work::Slow => raw::serial::run(&job),
        Work::Latency if ours => ours::latency::run(&job),
        Work::Latency => raw::latency::run(&job),
        Work::Publish if ours => ours::publish::run(&job),
        Work::Publish => raw::publish::run(&job),
        Work::Memory if ours => ours::memory::run(&job),
        Work::Memory => raw::memory::run(&job),
        Work::Load if ours => ours::load::run(&job),
        Work::Load => bail!("only the framework's producer makes the load"),
        Work::Start if !ours => raw::start::run(&job),
        _ if !ours => bail!("nobody does that by hand"),
        Work::Plan => ours::start::plan(&job),
        Work::Start => ours::start::run(&job),
        Work::Poison => ours::poison::filled::run(&job),
        Work::PoisonLatency => ours::poison::live::run(&job),
        Work::Park => ours::park::park(&job),
        Work::Unpark => ours::park::unpark(&job),
        Work::GiveUp => ours::park::redriven::give_up(&job),
        Work::Redrive => ours::park::redriven::redrive(&job),
        Work::Killed => ours::killed::run(&job),
        Work::Member => ours::members::run(&job),
        Work::MemberLoad => ours::members::load(&job),
    };
    println!("{}", serde_json::to_string(&sample?)?);
    Ok(())
}
