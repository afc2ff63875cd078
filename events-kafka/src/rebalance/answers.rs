//! What the broker answers to commits.

use events_runtime::TopicPartition;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{TopicPartitionList, TopicPartitionListElem};

use super::{MemberContext, names};

impl MemberContext {
    /// Answers whether the coordinator has committed what it may commit. If it refuses some partitions alone, then it does not
    /// take these, and the others must not wait for them (D6).
    pub(crate) fn answered(&self, result: KafkaResult<()>, list: &TopicPartitionList) -> bool {
        match result {
            Ok(()) => {
                // The client calls it a success while some partition's is one.
                let mut whole = true;
                for element in list.elements() {
                    match element.error() {
                        Ok(()) => {
                            self.group.take_metadata(element.metadata().len());
                            let name = TopicPartition::new(element.topic(), element.partition());
                            self.accepted(&name);
                        }
                        Err(error) => {
                            whole = false;
                            self.refused_one(&error, &element);
                        }
                    }
                }
                if let Some(logs) = self.parked.as_ref().filter(|_| whole) {
                    logs.committed(list);
                }
                true
            }
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => true,
            Err(error) => {
                self.refused(&error, list);
                false
            }
        }
    }

    /// None of these offsets was committed.
    pub(super) fn refused(&self, error: &KafkaError, list: &TopicPartitionList) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::OffsetMetadataTooLarge) {
            for element in list.elements() {
                // A request that fails as a whole may tell of no partition.
                let own = element.error().err();
                self.refused_one(own.as_ref().unwrap_or(error), &element);
            }
            return;
        }
        self.watch.suspect(error);
        let again = self.tried_again(&names(list));
        tracing::warn!(group = %self.group.plan().group, %error, "offsets were not committed; {again}");
    }

    fn refused_one(&self, error: &KafkaError, element: &TopicPartitionListElem<'_>) {
        let partition = TopicPartition::new(element.topic(), element.partition());
        let code = error.rdkafka_error_code();
        let group = &self.group.plan().group;
        if code == Some(RDKafkaErrorCode::OffsetMetadataTooLarge)
            && self.group.plan().topics.contains_key(element.topic())
        {
            let (bytes, before) = (element.metadata().len(), self.group.metadata_room());
            let most = self.group.refuse_metadata(&partition, bytes);
            if most < before {
                tracing::warn!(
                    group, %partition, bytes, most,
                    "the broker refuses {bytes} bytes of offset metadata: the watermark is committed with an offset map of at most {most} bytes; set `offset.metadata.max.bytes` to 4096 on all brokers and restart the service, or a kill makes it do work again"
                );
            }
            return;
        }
        self.watch.suspect(error);
        let again = self.tried_again(std::slice::from_ref(&partition));
        tracing::warn!(group, %partition, ?code, "an offset was not committed; {again}");
    }

    /// Sees to it that offsets are committed after all: the client gives up what a broker refuses while members join, and its
    /// timer sends only offsets that moved.
    fn tried_again(&self, partitions: &[TopicPartition]) -> &'static str {
        if self.group.refuse_positions(partitions) {
            "the next tick tries again"
        } else {
            "what was done since the last commit may be done again"
        }
    }
}
