//! Records as they are written and read by the client itself, past everything that is under test.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use events_core::Outgoing;
use events_kafka::{TopicPartition, Written};
use events_testkit::Received;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::oneshot::{self, Sender};

use crate::cluster::{ANSWER, LOOK, LOOKS};

/// Writes records as they are.
pub(crate) struct Writer(ThreadedProducer<Answers>);

impl Writer {
    pub(crate) fn start(address: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        config.set("partitioner", "murmur2_random");
        config.set("linger.ms", "0");
        // How soon it learns of partitions that are added.
        config.set("topic.metadata.refresh.interval.ms", "100");
        config.set("message.timeout.ms", "20000");
        // Some records are larger than their topic's limit before they are compressed.
        config.set("message.max.bytes", "10000000");
        config.set("compression.type", "lz4");
        let producer = ThreadedProducer::from_config_and_context(&config, Answers);
        Self(producer.expect("a producer starts"))
    }

    pub(crate) async fn write(&self, record: &Outgoing) -> anyhow::Result<Written> {
        for _ in 0..LOOKS {
            match self.try_write(record).await {
                // It was added a moment ago.
                Err(error) if error.downcast_ref() == Some(&UNKNOWN) => {
                    tokio::time::sleep(LOOK).await
                }
                outcome => return outcome,
            }
        }
        bail!("the partition does not appear")
    }

    async fn try_write(&self, record: &Outgoing) -> anyhow::Result<Written> {
        let (answer, answered) = oneshot::channel();
        let mut headers = OwnedHeaders::new();
        for (name, value) in record.headers() {
            let key = std::str::from_utf8(name)
                .context("the client writes header names of text alone")?;
            headers = headers.insert(Header { key, value });
        }
        let mut outgoing: BaseRecord<'_, [u8], [u8], Box<Answer>> =
            BaseRecord::with_opaque_to(&record.topic, Box::new(answer)).headers(headers);
        outgoing.key = record.key();
        outgoing.payload = record.value();
        outgoing.partition = record.partition;
        outgoing.timestamp = record.timestamp;
        self.0.send(outgoing).map_err(|(error, _)| error)?;
        Ok(answered.await??)
    }
}

/// What the client says of a partition that it does not know yet.
const UNKNOWN: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::UnknownPartition);

type Answer = Sender<KafkaResult<Written>>;

struct Answers;

impl ClientContext for Answers {}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Answer>;

    fn delivery(&self, result: &DeliveryResult<'_>, answer: Box<Answer>) {
        let written = |message: &BorrowedMessage<'_>| Written {
            partition: message.partition(),
            offset: message.offset(),
        };
        // A scenario that has failed does not wait any more.
        let _ = answer.send(match result {
            Ok(message) => Ok(written(message)),
            Err((error, _)) => Err(KafkaError::clone(error)),
        });
    }
}

/// All records of a topic, by partition and offset.
pub(crate) fn read(config: &ClientConfig, topic: &str) -> anyhow::Result<Vec<Received>> {
    let mut config = config.clone();
    config
        .set("group.id", "conformance-reader")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10");
    let client: BaseConsumer = config.create()?;
    let metadata = client.fetch_metadata(Some(topic), ANSWER)?;
    let mut list = TopicPartitionList::new();
    let mut missing = 0;
    for partition in metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
    {
        let (low, high) = client.fetch_watermarks(topic, partition.id(), ANSWER)?;
        if high > low {
            missing += high - low;
            list.add_partition_offset(topic, partition.id(), Offset::Offset(low))?;
        }
    }
    client.assign(&list)?;
    let mut found = Vec::new();
    while missing > 0 {
        let Some(message) = client.poll(ANSWER) else {
            bail!("{missing} records of {topic} do not come");
        };
        missing -= 1;
        found.push(received(&message?));
    }
    found.sort_by_key(|record: &Received| (record.partition, record.offset));
    Ok(found)
}

/// Writes a record in a transaction that is aborted, and answers the offset behind the marker.
pub(crate) fn abort(mut config: ClientConfig, partition: &TopicPartition) -> anyhow::Result<i64> {
    let client: BaseConsumer = config.clone().set("group.id", "none").create()?;
    let end = || client.fetch_watermarks(&partition.topic, partition.partition, ANSWER);
    let (_, before) = end()?;
    config.set("transactional.id", format!("conformance-{partition}"));
    let producer: BaseProducer = config.create()?;
    producer.init_transactions(ANSWER)?;
    producer.begin_transaction()?;
    let record: BaseRecord<'_, str, str> = BaseRecord::to(&partition.topic)
        .partition(partition.partition)
        .payload("{}");
    producer.send(record).map_err(|(error, _)| error)?;
    producer.flush(ANSWER)?;
    producer.abort_transaction(ANSWER)?;
    // The marker is written after the answer.
    for _ in 0..LOOKS {
        let (_, after) = end()?;
        if after >= before + 2 {
            return Ok(after);
        }
        std::thread::sleep(LOOK);
    }
    bail!("no marker in {partition}")
}

fn received(message: &BorrowedMessage<'_>) -> Received {
    let mut record = Outgoing::new(message.topic().to_owned());
    if let Some(key) = message.key() {
        record.set_key(key);
    }
    if let Some(value) = message.payload() {
        record.set_value(value);
    }
    for header in message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
    {
        record.add_raw_header(header.key.as_bytes(), header.value);
    }
    Received {
        topic: Arc::from(message.topic()),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis().unwrap_or_default(),
        record: Arc::new(record),
    }
}
