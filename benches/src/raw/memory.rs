//! React to a steady load for long, by hand.

use std::thread;

use anyhow::{Context, Result};
use events_core::Event;

use crate::events::SteadyOrder;
use crate::job::Job;
use crate::memory;
use crate::raw::react::react;
use crate::sample::Sample;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    let watch = thread::spawn(move || memory::watch(&watched));
    react(job, SteadyOrder::DESCRIPTOR)?;
    watch.join().ok().context("the watching thread failed")?
}
