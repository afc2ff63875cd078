//! What a broker holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::task::Waker;

use events_core::Outgoing;
use events_runtime::{PublishError, TopicPartition, Written};

use crate::coordinator::Coordinator;
use crate::log::Log;
use crate::partitioner::partition_of;
use crate::producer::Sabotage;
use crate::received::Received;

/// As much as Kafka's `message.max.bytes` allows by default.
const MAX_RECORD_BYTES: usize = 1_000_000;

/// Topics, groups and faults.
#[derive(Debug)]
pub(crate) struct State {
    topics: BTreeMap<String, Topic>,
    groups: BTreeMap<String, Coordinator>,
    pub(crate) sabotage: Sabotage,
    /// What services have written, in order.
    pub(crate) published: Vec<Received>,
    pub(crate) max_record_bytes: usize,
    /// Partitions of a topic that is made because somebody names it.
    pub(crate) auto_create: Option<i32>,
    /// Failed keys are not parked, whatever handlers say.
    pub(crate) refuses_parking: bool,
}

#[derive(Debug)]
struct Topic {
    name: Arc<str>,
    logs: Vec<Log>,
    /// Where the next record without a key goes.
    turn: i32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            topics: BTreeMap::new(),
            groups: BTreeMap::new(),
            sabotage: Sabotage::default(),
            published: Vec::new(),
            max_record_bytes: MAX_RECORD_BYTES,
            auto_create: None,
            refuses_parking: false,
        }
    }
}

impl State {
    /// Makes a topic, or grows it. A topic never shrinks.
    pub(crate) fn create(&mut self, name: &str, partitions: i32) {
        let topic = self.topics.entry(name.to_owned()).or_insert_with(|| Topic {
            name: name.into(),
            logs: Vec::new(),
            turn: 0,
        });
        let partitions = usize::try_from(partitions)
            .unwrap_or(0)
            .max(topic.logs.len());
        topic.logs.resize_with(partitions, Log::default);
        let all = self.partitions();
        for group in self.groups.values_mut() {
            group.rebalance(&all);
        }
    }

    /// Empties a topic, and lets groups forget what they have committed for it.
    pub(crate) fn make_anew(&mut self, name: &str) {
        if let Some(topic) = self.topics.get_mut(name) {
            topic.logs.fill_with(Log::default);
        }
        for group in self.groups.values_mut() {
            group
                .committed
                .retain(|partition, _| partition.topic != name);
        }
    }

    pub(crate) fn has_topic(&self, name: &str) -> bool {
        self.topics.contains_key(name)
    }

    fn partitions(&self) -> BTreeSet<TopicPartition> {
        let topics = self.topics.iter();
        let all = topics.flat_map(|(name, topic)| {
            (0..topic.logs.len())
                .map(|partition| TopicPartition::new(name.clone(), partition as i32))
        });
        all.collect()
    }

    pub(crate) fn log_mut(&mut self, partition: &TopicPartition) -> Option<&mut Log> {
        let topic = self.topics.get_mut(&partition.topic)?;
        topic
            .logs
            .get_mut(usize::try_from(partition.partition).ok()?)
    }

    /// The logs of a topic, by partition; none if there is no such topic.
    pub(crate) fn logs(&self, topic: &str) -> &[Log] {
        self.topics.get(topic).map_or(&[], |topic| &topic.logs)
    }

    /// The offsets that can be read.
    pub(crate) fn offsets(&self, partition: &TopicPartition) -> Option<Range<i64>> {
        let log = self
            .logs(&partition.topic)
            .get(usize::try_from(partition.partition).ok()?)?;
        Some(log.offsets())
    }

    /// Writes a record, and answers which readers are to be woken once the lock is free.
    pub(crate) fn append(
        &mut self,
        record: Arc<Outgoing>,
        now: i64,
    ) -> Result<(Written, Vec<Waker>), PublishError> {
        let unknown = |what: String| PublishError::Refused(format!("unknown {what}"));
        if let Some(partitions) = self.auto_create.filter(|_| !self.has_topic(&record.topic)) {
            self.create(&record.topic, partitions);
        }
        let topic = self.topics.get_mut(&*record.topic);
        let topic = topic.ok_or_else(|| unknown(format!("topic `{}`", record.topic)))?;
        let count = topic.logs.len() as i32;
        let partition = match (record.partition, record.key()) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of(key, count),
            (None, None) => {
                topic.turn = (topic.turn + 1) % count;
                topic.turn
            }
        };
        let log = usize::try_from(partition)
            .ok()
            .and_then(|index| topic.logs.get_mut(index));
        let log = log.ok_or_else(|| unknown(format!("partition {}/{partition}", record.topic)))?;
        let timestamp = record.timestamp.unwrap_or(now);
        let offset = log.append(&topic.name, partition, timestamp, record);
        Ok((Written { partition, offset }, log.take_readers()))
    }

    /// The same for a record of a service.
    pub(crate) fn publish(
        &mut self,
        record: Arc<Outgoing>,
        now: i64,
    ) -> Result<(Written, Vec<Waker>), PublishError> {
        let topic = record.topic.clone();
        let (written, readers) = self.append(record, now)?;
        let last = self
            .logs(&topic)
            .get(written.partition as usize)
            .and_then(Log::last)
            .cloned();
        self.published.extend(last);
        Ok((written, readers))
    }

    /// The group; made when it is first named.
    pub(crate) fn group(&mut self, name: &str) -> &mut Coordinator {
        self.groups.entry(name.to_owned()).or_default()
    }

    /// Spreads the partitions of a group anew.
    pub(crate) fn rebalance(&mut self, group: &str) {
        let all = self.partitions();
        self.group(group).rebalance(&all);
    }
}
