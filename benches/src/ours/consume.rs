//! Consume on the framework.

mod bare_topic;
mod routed_topic;

use anyhow::Result;

use crate::job::Job;
use crate::measured;
use crate::ours::service;
use crate::sample::Sample;

pub(crate) fn routed(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    service(job, routed_topic::MODULE, move || {
        measured::consumed(&watched)
    })
}

pub(crate) fn bare(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    service(job, bare_topic::MODULE, move || {
        measured::consumed(&watched)
    })
}
