//! Publish many events, on the framework.

use std::time::Duration;

use anyhow::{Result, ensure};
use events_kafka::Producer;

use crate::events::{Order, OrderImported};
use crate::job::Job;
use crate::measured;
use crate::ours::{on_tokio, options};
use crate::sample::Sample;
use crate::tally::Moment;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let producer = Producer::connect(&job.group, options(job))?;
        // Connections are made before the clock starts.
        producer.publish(&OrderImported(Order::numbered(0))).await?;
        let first = Moment::now();
        let written = producer
            .publish_all((0..job.records).map(|index| OrderImported(Order::numbered(index))))
            .await?;
        let sample = measured::since(first, job.records);
        ensure!(
            written as u64 == job.records,
            "{written} of {} events were written",
            job.records
        );
        producer.close(Duration::from_secs(10)).await;
        Ok(sample)
    })
}
