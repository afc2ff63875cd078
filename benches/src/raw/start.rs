//! From the start to the last assigned partition, by hand: a producer, and a member that reads the same topics.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::BaseProducer;

use crate::job::Job;
use crate::measured;
use crate::raw::{consumer_config, producer_config};
use crate::sample::Sample;
use crate::settings::{EDGE_LINGER, PARTITIONS};
use crate::start::TOPICS;
use crate::tally::Moment;

const ASSIGNMENT: Duration = Duration::from_secs(30);
/// How late something may be noticed.
const LOOK: Duration = Duration::from_millis(1);

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let (begun, first) = (Instant::now(), Moment::now());
    let producer: BaseProducer = producer_config(job, EDGE_LINGER).create()?;
    let consumer: BaseConsumer = consumer_config(job).create()?;
    consumer.subscribe(&TOPICS)?;
    let (spawned, _) = first.elapsed();
    while consumer.assignment()?.count() < TOPICS.len() * PARTITIONS as usize {
        ensure!(
            begun.elapsed() < ASSIGNMENT,
            "not all partitions were assigned"
        );
        if let Some(message) = consumer.poll(LOOK) {
            message?;
        }
    }
    let sample = measured::since(first, job.records);
    drop(producer);
    Ok(sample.with("spawn_ms", spawned * 1e3))
}
