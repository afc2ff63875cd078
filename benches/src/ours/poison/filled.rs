//! As fast as it can, from a topic that is full.

use anyhow::Result;
use events_core::handler;

use crate::job::Job;
use crate::measured;
use crate::ours::poison::{poison, settings, treat};
use crate::ours::service_with;
use crate::parcels::{ParcelSent, others};
use crate::sample::Sample;
use crate::tally::TALLY;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    poison(job, 0);
    let (records, amount) = others(job.records);
    service_with(job, module_path!(), settings, move || {
        measured::counted(records, amount)
    })
}

#[handler]
async fn deliver(parcel: ParcelSent) -> events_core::Result<()> {
    let number = parcel.0.number;
    treat(number, || TALLY.add(number))
}
