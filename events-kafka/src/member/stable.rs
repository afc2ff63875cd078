//! Up to where the logs of a member's partitions can be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use events_runtime::TopicPartition;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;

/// How often the cluster is asked.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it may take to answer. A member that leaves waits for as long.
const ANSWER: Duration = Duration::from_secs(1);

/// The last stable offsets of the partitions in which a member is behind. What an open transaction wrote lies above them, and
/// cannot be read yet. The client tells the ends of logs alone, as they were when it fetched last.
#[derive(Default)]
pub(super) struct StableOffsets {
    known: Arc<Mutex<BTreeMap<TopicPartition, i64>>>,
    question: Option<JoinHandle<()>>,
    asked: Option<Instant>,
}

impl StableOffsets {
    /// Up to where a partition can be read, whose log ends at `high` and which is handled up to `watermark`.
    pub(super) fn end(&self, partition: &TopicPartition, watermark: i64, high: i64) -> i64 {
        let known = lock(&self.known).get(partition).copied();
        // An older answer does not count.
        known.filter(|end| *end >= watermark).unwrap_or(high)
    }

    /// Sees to it that those of `partitions` are known soon, and no others. It does not wait for the cluster.
    pub(super) fn ask<C: ConsumerContext + 'static>(
        &mut self,
        consumer: &Arc<BaseConsumer<C>>,
        partitions: Vec<TopicPartition>,
    ) {
        lock(&self.known).retain(|known, _| partitions.contains(known));
        let asks = self
            .question
            .as_ref()
            .is_some_and(|asks| !asks.is_finished());
        let asked = self.asked.is_some_and(|asked| asked.elapsed() < AGAIN);
        if partitions.is_empty() || asks || asked {
            return;
        }
        self.asked = Some(Instant::now());
        let (consumer, known) = (Arc::clone(consumer), Arc::clone(&self.known));
        let question = move || {
            let answer = ends(&consumer, &partitions).unwrap_or_else(|error| {
                tracing::debug!(%error, "the last stable offsets are not known, so lag counts to the ends of logs");
                BTreeMap::new()
            });
            *lock(&known) = answer;
        };
        let thread = thread::Builder::new().name("stable offsets".into());
        // Without a thread lag counts to the ends of logs.
        self.question = thread.spawn(question).ok();
    }
}

impl Drop for StableOffsets {
    /// The thread holds the consumer, and waits for nothing longer than [`ANSWER`].
    fn drop(&mut self) {
        if let Some(question) = self.question.take() {
            // The panic hook has reported a panic.
            let _ = question.join();
        }
    }
}

fn ends<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: &[TopicPartition],
) -> KafkaResult<BTreeMap<TopicPartition, i64>> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for TopicPartition { topic, partition } in partitions {
        // For the time of the end a broker tells the last stable offset to a client that reads what was committed.
        list.add_partition_offset(topic, *partition, Offset::End)?;
    }
    let list = consumer.offsets_for_times(list, ANSWER)?;
    let found = list.elements().into_iter();
    let ends = found.filter_map(|element| match element.offset() {
        Offset::Offset(end) if element.error().is_ok() => {
            let partition = TopicPartition::new(element.topic(), element.partition());
            Some((partition, end))
        }
        _ => None,
    });
    Ok(ends.collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of users runs under this lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
