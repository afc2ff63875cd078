//! Batches that the client cannot unpack: where they end, and a group's way past them.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use events_runtime::{Settings, TopicPartition};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, ClientContext};

use crate::error::KafkaError;
use crate::ffi::{NativeQueue, consume};
use crate::options::ClientOptions;
use crate::patience::ANSWER;

/// How long a read of one offset may take.
const READ: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Whether an error of the client says that it has fetched a batch and cannot unpack it.
pub(crate) fn is_unreadable(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BadCompression
            | RDKafkaErrorCode::BadMessage
            | RDKafkaErrorCode::NotImplemented
    )
}

/// A batch that the client cannot unpack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its first offset that the group has not passed, and the offset behind its last.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// What the client says of it.
    pub(crate) reason: String,
}

/// One partition as a group reads it, while none of its members runs.
pub(crate) struct Passage {
    config: ClientConfig,
    partition: TopicPartition,
}

/// What stands at an offset.
enum Found {
    /// A record, or the end of the log.
    Readable,
    /// A batch that begins at this offset.
    Unreadable(i64, String),
}

struct Quiet;

impl ClientContext for Quiet {}
impl rdkafka::consumer::ConsumerContext for Quiet {}

impl Passage {
    pub(crate) fn of(client: &ClientOptions, group: &str, partition: TopicPartition) -> Self {
        let mut config = client.consumer(group, &Settings::default());
        config.set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true");
        for property in ["group.protocol", "group.instance.id"] {
            config.remove(property);
        }
        Self { config, partition }
    }

    /// The batch at the group's committed offset, if it cannot be unpacked. Blocks.
    pub(crate) fn look(&self) -> Result<Option<Unreadable>, KafkaError> {
        let from = self.told("read what the group has committed", self.committed())?;
        let Some(from) = from else {
            return Ok(None);
        };
        let find = || -> KafkaResult<Option<Unreadable>> {
            let Found::Unreadable(batch, reason) = self.read(from)? else {
                return Ok(None);
            };
            // Every offset of the batch is answered with the whole batch.
            let inside = |offset| -> KafkaResult<bool> {
                Ok(matches!(self.read(offset)?, Found::Unreadable(begin, _) if begin == batch))
            };
            let (mut last, mut step) = (from, 1);
            while inside(last + step)? {
                last += step;
                step *= 2;
            }
            let mut to = last + step;
            while last + 1 < to {
                let middle = last + (to - last) / 2;
                match inside(middle)? {
                    true => last = middle,
                    false => to = middle,
                }
            }
            Ok(Some(Unreadable { from, to, reason }))
        };
        self.told("read the partition", find())
    }

    /// Commits `offset` for the group. Blocks.
    pub(crate) fn commit(&self, offset: i64) -> Result<(), KafkaError> {
        let commit = || -> KafkaResult<()> {
            let consumer: BaseConsumer = self.config.create()?;
            consumer.commit(&self.list(Offset::Offset(offset))?, CommitMode::Sync)
        };
        self.told("commit for the group, which must have no members", commit())
    }

    fn committed(&self) -> KafkaResult<Option<i64>> {
        let consumer: BaseConsumer = self.config.create()?;
        let committed = consumer.committed_offsets(self.list(Offset::Invalid)?, ANSWER)?;
        let elements = committed.elements();
        let element = elements.first();
        Ok(match element.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => Some(offset),
            _ => None,
        })
    }

    /// Reads what stands at `offset`, with a consumer that nothing was fetched by before.
    fn read(&self, offset: i64) -> KafkaResult<Found> {
        let consumer: BaseConsumer<Quiet> = self.config.create_with_context(Quiet)?;
        let consumer = Arc::new(consumer);
        let TopicPartition { topic, partition } = &self.partition;
        let queue = NativeQueue::split(&consumer, topic, *partition).map(Arc::new);
        let queue = queue.ok_or(rdkafka::error::KafkaError::Subscription(topic.clone()))?;
        consumer.assign(&self.list(Offset::Offset(offset))?)?;
        let until = Instant::now() + READ;
        loop {
            if let Some(Err(error)) = consumer.poll(PAUSE) {
                tracing::debug!(%error, "while an offset is read");
            }
            let mut found = None;
            consume(&queue, 1, |message| {
                found = Some(match message.error() {
                    None | Some((RDKafkaErrorCode::PartitionEOF, _)) => Ok(Found::Readable),
                    Some((code, text)) if is_unreadable(code) => {
                        Ok(Found::Unreadable(message.offset(), text))
                    }
                    // Behind the end of the log.
                    Some((
                        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
                        _,
                    )) => Ok(Found::Readable),
                    Some((code, _)) => Err(rdkafka::error::KafkaError::MessageConsumption(code)),
                });
            });
            match found {
                Some(found) => return found,
                None if Instant::now() >= until => {
                    let code = RDKafkaErrorCode::OperationTimedOut;
                    return Err(rdkafka::error::KafkaError::MessageConsumption(code));
                }
                None => thread::sleep(PAUSE),
            }
        }
    }

    fn list(&self, offset: Offset) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.partition.topic, self.partition.partition, offset)?;
        Ok(list)
    }

    fn told<T>(&self, what: &'static str, asked: KafkaResult<T>) -> Result<T, KafkaError> {
        let address = self.config.get("bootstrap.servers").unwrap_or_default();
        asked.map_err(|error| KafkaError::cluster(address, what, &error))
    }
}

#[cfg(all(test, feature = "zstd"))]
mod tests {
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

    use super::*;
    use crate::embedded::Embedded;

    const TOPIC: &str = "unreadable-batches";
    const GROUP: &str = "unreadable-group";
    /// Bytes of what the client unpacks at most, and of each record of the batches that are larger.
    const MOST: usize = 1_100_000;
    const RECORD: usize = 800_000;

    /// One batch of that many records.
    fn batch(producer: &BaseProducer, records: usize, bytes: usize) {
        for _ in 0..records {
            let value = vec![b'x'; bytes];
            let record: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to(TOPIC).partition(0).payload(&value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(READ).unwrap();
    }

    #[test]
    fn a_batch_that_cannot_be_unpacked_is_passed_whole_and_alone() {
        let embedded = Embedded::shared().unwrap();
        embedded.create_topics([TOPIC], 1).unwrap();
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", embedded.address())
            .set("compression.type", "zstd")
            .set("message.max.bytes", "100000000")
            .set("batch.size", "100000000")
            .set("linger.ms", "2000")
            .create()
            .unwrap();
        // Readable, unreadable of 5 records, readable, unreadable of 3.
        batch(&producer, 1, 10);
        batch(&producer, 5, RECORD);
        batch(&producer, 1, 10);
        batch(&producer, 3, RECORD);
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", embedded.address())
            .set("receive.message.max.bytes", MOST.to_string())
            .set("fetch.max.bytes", "1000000");
        let passage = Passage::of(&client, GROUP, TopicPartition::new(TOPIC, 0));
        assert_eq!(passage.look().unwrap(), None, "nothing is committed");
        let look = |committed: i64| {
            passage.commit(committed).unwrap();
            let found = passage.look().unwrap();
            found.map(|batch| (batch.from, batch.to))
        };
        assert_eq!(look(0), None);
        assert_eq!(look(1), Some((1, 6)));
        assert_eq!(look(3), Some((3, 6)), "the group has passed a part of it");
        assert_eq!(look(6), None);
        assert_eq!(look(7), Some((7, 10)));
        assert_eq!(look(10), None, "the end of the log");
    }
}
