//! Stores how far each partition is, now and then.

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::settings::PARTITIONS;

/// Records between two stores.
const EVERY: u32 = 10_000;

/// The first offset of each partition that is not done.
pub(super) struct Offsets {
    topic: &'static str,
    next: [i64; PARTITIONS as usize],
    stored: [i64; PARTITIONS as usize],
    since: u32,
}

impl Offsets {
    pub(super) fn of(topic: &'static str) -> Self {
        Self {
            topic,
            next: [-1; PARTITIONS as usize],
            stored: [-1; PARTITIONS as usize],
            since: 0,
        }
    }

    /// Everything below `next` is done. Answers whether it is time to store.
    #[inline]
    pub(super) fn done(&mut self, partition: i32, next: i64) -> bool {
        self.next[partition as usize] = next;
        self.since += 1;
        self.since >= EVERY
    }

    pub(super) fn store<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>) -> Result<()> {
        self.since = 0;
        let mut list = TopicPartitionList::new();
        for (partition, (next, stored)) in self.next.iter().zip(&mut self.stored).enumerate() {
            if next != stored {
                list.add_partition_offset(self.topic, partition as i32, Offset::Offset(*next))?;
                *stored = *next;
            }
        }
        if list.count() > 0 {
            consumer.store_offsets(&list)?;
        }
        Ok(())
    }
}
