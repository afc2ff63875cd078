//! Where partitions start for which the group has committed nothing (D14).

use std::collections::{BTreeMap, BTreeSet};

use events_core::Start;
use events_runtime::TopicPartition;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::log_offsets::{self, Answers, log_offsets};
use crate::patience::{ANSWER, patiently};
use crate::rebalance::MemberContext;

impl MemberContext {
    /// Where these partitions start. All are asked for together: a member may be assigned thousands.
    pub(super) fn starts(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[&TopicPartition],
    ) -> BTreeMap<TopicPartition, KafkaResult<i64>> {
        if partitions.is_empty() {
            return BTreeMap::new();
        }
        let start = self.group.plan().start;
        let known = match start {
            Start::Earliest => Ok(BTreeSet::new()),
            _ => self.known(consumer, partitions),
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                let failed =
                    |partition: &&TopicPartition| ((*partition).clone(), Err(error.clone()));
                return partitions.iter().map(failed).collect();
            }
        };
        let asked = partitions.iter().map(|partition| {
            let time = match start {
                // The group has read this topic before, so the partition is new, and its first record too.
                _ if known.contains(&partition.topic) => Offset::Beginning,
                Start::Latest => Offset::End,
                Start::Time(millis) => Offset::Offset(millis),
                _ => Offset::Beginning,
            };
            ((*partition).clone(), time)
        });
        let mut answers = log_offsets(consumer, &self.watch, &asked.collect());
        // Every record of these is older than the time.
        let older = answers
            .iter()
            .filter_map(|(partition, answer)| match answer {
                Ok(Offset::End) => Some((partition.clone(), Offset::End)),
                _ => None,
            });
        let older: BTreeMap<_, _> = older.collect();
        if !older.is_empty() {
            answers.extend(log_offsets(consumer, &self.watch, &older));
        }
        self.tell(answers)
    }

    fn tell(&self, answers: Answers) -> BTreeMap<TopicPartition, KafkaResult<i64>> {
        let plan = self.group.plan();
        let starts = answers.into_iter().map(|(partition, answer)| {
            let offset = log_offsets::offset(answer);
            if let Ok(offset) = offset {
                tracing::info!(
                    group = %plan.group, %partition, start = %plan.start, offset,
                    "no committed offset: starting there"
                );
            }
            (partition, offset)
        });
        starts.collect()
    }

    /// Those of the partitions' topics for which the group has committed anything.
    fn known(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &[&TopicPartition],
    ) -> KafkaResult<BTreeSet<String>> {
        let topics: BTreeSet<_> = partitions
            .iter()
            .map(|partition| &partition.topic)
            .collect();
        let mut all = TopicPartitionList::new();
        for topic in topics {
            let metadata = patiently(&self.watch, || consumer.fetch_metadata(Some(topic), ANSWER))?;
            let partitions = metadata
                .topics()
                .iter()
                .flat_map(|topic| topic.partitions());
            for partition in partitions {
                all.add_partition(topic, partition.id());
            }
        }
        let committed = patiently(&self.watch, || {
            consumer.committed_offsets(all.clone(), ANSWER)
        })?;
        let elements = committed.elements();
        let known = elements
            .iter()
            .filter(|element| matches!(element.offset(), Offset::Offset(_)));
        Ok(known.map(|element| element.topic().to_owned()).collect())
    }
}
