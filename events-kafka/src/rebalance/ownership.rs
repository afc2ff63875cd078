//! Whether the group's coordinator takes this member for the owner of a partition (D8).
//!
//! A coordinator accepts a commit with a generation only from a member of its group in that
//! generation. So a member that commits again what it found committed when a partition was assigned
//! to it learns from the answer that it is the owner, under each protocol.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use events_runtime::TopicPartition;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::MemberContext;
use crate::ffi;

/// Partitions of which the coordinator is asked, with the generation of the question.
#[derive(Debug, Default)]
pub(crate) struct Questions(Mutex<BTreeMap<TopicPartition, i64>>);

impl Questions {
    fn all(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, i64>> {
        // No code of users runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemberContext {
    /// Asks whether this member owns the partitions whose lanes are outranked by a claim in their
    /// parked logs.
    pub(crate) fn ask_ownership(&self, consumer: &BaseConsumer<Self>) {
        let outranked = self.group.outranked();
        let generation = ffi::generation(consumer.client());
        // Outside of its group a client commits as one that needs no membership, and a group
        // without members takes that.
        if outranked.is_empty() || generation <= 0 || consumer.assignment_lost() {
            return;
        }
        let mut list = TopicPartitionList::with_capacity(outranked.len());
        for partition in outranked {
            let Some(log) = self.logs.of(&partition) else {
                continue;
            };
            let mut element = list.add_partition(&partition.topic, partition.partition);
            if element.set_offset(Offset::Offset(log.begin)).is_err() {
                continue;
            }
            element.set_metadata(&log.metadata);
            ffi::set_last_leader_epoch(&mut list, log.epoch_before(log.begin));
            self.questions.all().insert(partition, generation);
        }
        if let Err(error) = ffi::commit(consumer, &list) {
            tracing::debug!(%error, "the coordinator is not asked for the owner");
        }
    }

    /// The coordinator has accepted a commit for the partition.
    pub(super) fn accepted(&self, partition: &TopicPartition) {
        let Some(asked) = self.questions.all().remove(partition) else {
            return;
        };
        let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) else {
            return;
        };
        // In between the client committed in this generation, and in no other.
        if !consumer.assignment_lost() && ffi::generation(consumer.client()) == asked {
            self.group.confirm_owner(partition, asked);
        }
    }
}
