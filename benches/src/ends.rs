//! How many records a topic holds: the end of a run that publishes, seen from outside.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::settings::PARTITIONS;

const ANSWER: Duration = Duration::from_secs(10);
/// Often enough to time a run of seconds, seldom enough not to load the broker.
const LOOK: Duration = Duration::from_millis(20);
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
            .create()?;
        let mut ends = Self {
            consumer,
            topic,
            base: 0,
        };
        ends.base = ends.sum()?;
        Ok(ends)
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
