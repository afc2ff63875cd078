//! Consume and publish on the framework.

use anyhow::Result;
use events_core::{Event, handler};

use crate::ends::Ends;
use crate::events::{OrderPlaced, PaymentCaptured, payment};
use crate::job::Job;
use crate::measured;
use crate::ours::service;
use crate::sample::Sample;
use crate::tally::TALLY;

/// Where its handler is.
pub(crate) const MODULE: &str = module_path!();

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let ends = Ends::of(&job.address, PaymentCaptured::DESCRIPTOR.topic)?;
    let watched = job.clone();
    service(job, MODULE, move || measured::reacted(&watched, &ends))
}

#[handler]
async fn capture(order: OrderPlaced) -> PaymentCaptured {
    TALLY.add(order.0.amount_cents);
    payment(order.0)
}
