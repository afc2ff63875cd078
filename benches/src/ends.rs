//! How many records a topic holds: the end of a run that publishes, seen from outside.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::settings::PARTITIONS;

const ANSWER: Duration = Duration::from_secs(10);
/// Often enough to time a run of seconds, seldom enough not to load the broker.
pub(crate) const LOOK: Duration = Duration::from_millis(20);
const STALL: Duration = Duration::from_secs(60);

/// Looks at the ends of a topic's partitions.
pub(crate) struct Ends {
    consumer: BaseConsumer,
    topic: &'static str,
    /// Records that were there at the start.
    base: u64,
}

impl Ends {
    pub(crate) fn of(address: &str, topic: &'static str) -> Result<Self> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", address)
            // Nothing is committed.
            .set("group.id", "bench-ends")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut ends = Self {
            consumer,
            topic,
            base: 0,
        };
        ends.base = ends.sum()?;
        Ok(ends)
    }

    /// Records that were published since the start, and acknowledged.
    pub(crate) fn published(&self) -> Result<u64> {
        Ok(self.sum()? - self.base)
    }

    /// How many of the first `records` orders the topic's records are about, and how many records it has.
    pub(crate) fn orders(&self, records: u64) -> Result<(u64, u64)> {
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            list.add_partition_offset(self.topic, partition, Offset::Beginning)?;
        }
        let total = self.sum()?;
        self.consumer.assign(&list)?;
        let mut known = HashSet::new();
        for _ in 0..total {
            let record = self.consumer.poll(ANSWER);
            let record = record.context("the topic's records do not come")??;
            let key = record.key().unwrap_or_default();
            let number = std::str::from_utf8(key)?.rsplit('-').next();
            known.insert(number.unwrap_or_default().parse::<u64>()?);
        }
        self.consumer.unassign()?;
        known.retain(|number| *number < records);
        Ok((known.len() as u64, total))
    }

    fn sum(&self) -> Result<u64> {
        let mut sum = 0;
        for partition in 0..PARTITIONS {
            sum += u64::try_from(self.end(partition)?).unwrap_or(0);
        }
        Ok(sum)
    }

    /// A topic that was just made has no leaders for a moment.
    fn end(&self, partition: i32) -> Result<i64> {
        let asked = Instant::now();
        loop {
            match self
                .consumer
                .fetch_watermarks(self.topic, partition, ANSWER)
            {
                Ok((_, high)) => return Ok(high),
                Err(error) if asked.elapsed() > ANSWER => return Err(error.into()),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    /// Waits until `records` more are acknowledged than at the start.
    pub(crate) fn wait(&self, records: u64) -> Result<()> {
        let (mut seen, mut moved) = (0, Instant::now());
        loop {
            let now = self.sum()? - self.base;
            if now == records {
                return Ok(());
            }
            if now > records {
                bail!(
                    "`{}` got {now} records instead of {records}: some were published twice",
                    self.topic
                );
            }
            if now != seen {
                (seen, moved) = (now, Instant::now());
            }
            if moved.elapsed() > STALL {
                bail!("`{}` stays at {seen} of {records} records", self.topic);
            }
            thread::sleep(LOOK);
        }
    }
}
