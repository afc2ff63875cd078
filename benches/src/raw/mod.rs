//! The same work by hand over rdkafka, as well as its safe interface allows.

pub(crate) mod consume;
pub(crate) mod lanes;
pub(crate) mod latency;
pub(crate) mod memory;
mod offsets;
pub(crate) mod outgoing;
mod pending;
pub(crate) mod publish;
pub(crate) mod react;
mod reaction;
mod reading;
pub(crate) mod serial;
pub(crate) mod start;
mod window;

use std::time::Duration;

use anyhow::Result;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::job::{Job, pairs};
use crate::settings;

/// How long a poll waits for a record.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// The settings of a consumer that stores offsets itself.
fn consumer_config(job: &Job) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &job.address)
        .set("group.id", &job.group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "1000")
        .set("enable.auto.offset.store", "false")
        .set("partition.assignment.strategy", "cooperative-sticky");
    for (name, value) in settings::CONSUMER.into_iter().chain(pairs(&job.set)) {
        config.set(name, value);
    }
    config
}

/// A member of the job's group that reads `topic`.
fn subscribed(job: &Job, topic: &str) -> Result<BaseConsumer> {
    let consumer: BaseConsumer = consumer_config(job).create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// The settings of a producer whose loop bounds what is under way, and whose records wait so long for a batch.
fn producer_config(job: &Job, linger: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &job.address)
        .set("linger.ms", linger)
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "2147483647");
    for (name, value) in settings::PRODUCER.into_iter().chain(pairs(&job.set)) {
        config.set(name, value);
    }
    config
}
