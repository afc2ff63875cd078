//! A handler that waits a millisecond, one record at a time.

use std::thread;

use anyhow::{Context, Result};
use events_core::Event;
use rdkafka::message::Message;

use crate::events::{JobQueued, Order};
use crate::job::Job;
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::{POLL, subscribed};
use crate::sample::Sample;
use crate::settings::WAIT;
use crate::tally::TALLY;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    let watch = thread::spawn(move || measured::first(&watched));
    let topic = JobQueued::DESCRIPTOR.topic;
    let consumer = subscribed(job, topic)?;
    let mut offsets = Offsets::of(topic);
    // The same timer as the framework's handler has.
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    while !TALLY.is_over() {
        let Some(message) = consumer.poll(POLL) else {
            continue;
        };
        let message = message?;
        let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
        tokio.block_on(async { tokio::time::sleep(WAIT).await });
        TALLY.add(order.amount_cents);
        if offsets.done(message.partition(), message.offset() + 1) {
            offsets.store(&consumer)?;
        }
    }
    watch.join().ok().context("the watching thread failed")?
}
