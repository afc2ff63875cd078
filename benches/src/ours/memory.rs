//! React to a steady load for long, on the framework.

use anyhow::Result;
use events_core::handler;

use crate::events::{PaymentCaptured, SteadyOrder, payment};
use crate::job::Job;
use crate::memory;
use crate::ours::service;
use crate::sample::Sample;
use crate::tally::TALLY;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    service(job, module_path!(), move || memory::watch(&watched))
}

#[handler]
async fn capture_steadily(order: SteadyOrder) -> PaymentCaptured {
    TALLY.add(order.0.amount_cents);
    payment(order.0)
}
