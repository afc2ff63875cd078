//! A handler that waits a millisecond, on the framework.

use anyhow::Result;
use events_core::handler;

use crate::events::JobQueued;
use crate::job::Job;
use crate::measured;
use crate::ours::service;
use crate::sample::Sample;
use crate::settings::WAIT;
use crate::tally::TALLY;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    service(job, module_path!(), move || measured::consumed(&watched))
}

#[handler]
async fn work_on(job: JobQueued) {
    tokio::time::sleep(WAIT).await;
    TALLY.add(job.0.amount_cents);
}
