//! As fast as it can, from a topic that is full.

use anyhow::Result;
use events_core::handler;

use crate::job::Job;
use crate::measured;
use crate::ours::poison::{poison, treat};
use crate::ours::service;
use crate::parcels::{ParcelSent, others};
use crate::sample::Sample;
use crate::tally::TALLY;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    poison(job, 0);
    let (records, amount) = others(job.records);
    service(job, module_path!(), move || {
        measured::counted(records, amount)
    })
}

#[handler]
async fn deliver(parcel: ParcelSent) -> events_core::Result<()> {
    let number = parcel.0.number;
    treat(number, || TALLY.add(number))
}
