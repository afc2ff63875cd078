//! Where an assigned partition is read from (D14).

use std::collections::{BTreeMap, BTreeSet};

use events_runtime::TopicPartition;
use events_runtime::offset_map::TopicId;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::ffi;
use crate::parked::Hint;
use crate::patience::{ANSWER, BRIEF, briefly, patiently};
use crate::rebalance::MemberContext;

/// How the id of an embedded cluster begins, which answers no such question.
const EMBEDDED: &str = "mockCluster";

/// What a group has committed for a partition.
#[derive(Debug, Clone)]
pub(super) struct Begin {
    pub(super) partition: TopicPartition,
    /// None where nothing is committed.
    pub(super) offset: Option<i64>,
    pub(super) metadata: String,
    /// The leader epoch committed with the offset; -1 for none.
    pub(super) epoch: i32,
    /// What is committed for its parked log.
    pub(super) hint: Option<Hint>,
}

impl MemberContext {
    /// Committed offsets with their metadata.
    pub(super) fn begins(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &TopicPartitionList,
    ) -> KafkaResult<Vec<Begin>> {
        let mut asked = list.clone();
        for element in list.elements() {
            if let Some(parked) = self.parked_topic(element.topic()) {
                asked.add_partition(parked, element.partition());
            }
        }
        let committed = patiently(&self.watch, || {
            let committed = consumer.committed_offsets(asked.clone(), ANSWER)?;
            committed
                .elements()
                .iter()
                .try_for_each(|element| element.error())?;
            Ok(committed)
        })?;
        let metadata = ffi::metadata(&committed);
        let epochs = ffi::leader_epochs(&committed);
        let mut committed: Vec<_> = committed.elements().into_iter().zip(metadata).collect();
        let mut hints: BTreeMap<_, _> = committed
            .split_off(list.count())
            .into_iter()
            .filter_map(|(element, claim)| match element.offset() {
                Offset::Offset(offset) => {
                    let name = (element.topic().to_owned(), element.partition());
                    Some((name, Hint { offset, claim }))
                }
                _ => None,
            })
            .collect();
        let mut begins = Vec::with_capacity(committed.len());
        for ((element, metadata), epoch) in committed.into_iter().zip(epochs) {
            let hint = self
                .parked_topic(element.topic())
                .and_then(|parked| hints.remove(&(parked.to_owned(), element.partition())));
            let partition = TopicPartition::new(element.topic(), element.partition());
            let offset = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            begins.push(Begin {
                partition,
                offset,
                metadata,
                epoch,
                hint,
            });
        }
        Ok(begins)
    }

    /// The ids of the topics of these partitions, and of their parked topics: one question for all.
    /// None where the cluster has no ids.
    pub(super) fn topic_ids(
        &self,
        consumer: &BaseConsumer<Self>,
        begins: &[Begin],
    ) -> KafkaResult<BTreeMap<String, TopicId>> {
        let cluster = consumer.client().fetch_cluster_id(BRIEF);
        if cluster.is_some_and(|id| id.starts_with(EMBEDDED)) {
            return Ok(BTreeMap::new());
        }
        let mut topics = BTreeSet::new();
        for begin in begins {
            let topic = &*begin.partition.topic;
            topics.insert(topic);
            topics.extend(self.parked_topic(topic));
        }
        let topics: Vec<_> = topics.into_iter().collect();
        briefly(&self.watch, || {
            let asked = ffi::topic_ids(consumer.client(), &topics, BRIEF);
            asked.map_err(KafkaError::AdminOp)
        })
    }
}
