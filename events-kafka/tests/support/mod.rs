//! A cluster for tests: the embedded one, or the one that KAFKA_BOOTSTRAP_SERVERS names.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use events_kafka::ClientOptions;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

/// Whether the tests run against a cluster of their own environment.
pub(crate) fn real() -> bool {
    std::env::var_os("KAFKA_BOOTSTRAP_SERVERS").is_some()
}

pub(crate) fn client() -> ClientOptions {
    if real() {
        ClientOptions::new()
    } else {
        ClientOptions::new().embedded()
    }
}

/// A name that no other test and no other run uses.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    format!(
        "{name}-{millis}-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Makes a topic on a real cluster; the embedded one makes it by itself.
pub(crate) async fn topic(name: &str, partitions: i32) {
    topic_with(name, partitions, &[]).await;
}

/// The same with settings of its own.
pub(crate) async fn topic_with(name: &str, partitions: i32, settings: &[(&str, &str)]) {
    if !real() {
        return;
    }
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let topic = settings
        .iter()
        .fold(topic, |topic, (name, value)| topic.set(name, value));
    let made = admin
        .create_topics([&topic], &AdminOptions::new())
        .await
        .unwrap();
    if let Err((_, code)) = &made[0] {
        assert_eq!(*code, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists);
    }
}

/// The settings that a topic on a real cluster was made with.
pub(crate) async fn settings(topic: &str) -> BTreeMap<String, String> {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let described = admin
        .describe_configs(&[ResourceSpecifier::Topic(topic)], &AdminOptions::new())
        .await
        .unwrap();
    let entries = described
        .into_iter()
        .flat_map(|found| found.unwrap().entries);
    let own = entries.filter(|entry| entry.source == ConfigSource::DynamicTopic);
    own.filter_map(|entry| Some((entry.name, entry.value?)))
        .collect()
}

fn config() -> ClientConfig {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_default();
    ClientConfig::from_iter([("bootstrap.servers".to_owned(), servers)])
}

/// A record as it stands in the log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Logged {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.value).unwrap()
    }
}

/// Reads `count` records of a topic from its start.
pub(crate) fn read(address: &str, topic: &str, count: usize) -> Vec<Logged> {
    let consumer = reader(address);
    let metadata = consumer
        .fetch_metadata(Some(topic), Duration::from_secs(10))
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    poll(&consumer, topic, count)
}

/// Reads what stands in a topic of the environment's cluster now, in the order of each partition; nothing if there is no
/// such topic.
pub(crate) fn read_all(topic: &str) -> Vec<Logged> {
    let address = ClientOptions::new()
        .address()
        .unwrap_or_default()
        .to_owned();
    let consumer = reader(&address);
    let patience = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(None, patience).unwrap();
    let found = metadata.topics().iter().find(|known| known.name() == topic);
    let partitions = found.map_or(0, |topic| topic.partitions().len() as i32);
    let mut records = Vec::new();
    for partition in 0..partitions {
        let (low, high) = consumer
            .fetch_watermarks(topic, partition, patience)
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(low))
            .unwrap();
        consumer.assign(&list).unwrap();
        // Compaction leaves gaps, but never takes the last record.
        while low < high
            && records
                .last()
                .is_none_or(|last: &Logged| last.offset + 1 < high)
        {
            records.extend(poll(&consumer, topic, 1));
        }
    }
    records
}

/// Reads the record at a place of a topic.
pub(crate) fn read_at(address: &str, topic: &str, partition: i32, offset: i64) -> Logged {
    let consumer = reader(address);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))
        .unwrap();
    consumer.assign(&list).unwrap();
    poll(&consumer, topic, 1).remove(0)
}

fn reader(address: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        .set("group.id", unique("reader"))
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10");
    config.create().unwrap()
}

fn poll(consumer: &BaseConsumer, topic: &str, count: usize) -> Vec<Logged> {
    let until = Instant::now() + Duration::from_secs(30);
    let mut found = Vec::new();
    while found.len() < count {
        assert!(
            Instant::now() < until,
            "{topic}: {} of {count} records after 30 s",
            found.len()
        );
        let Some(message) = consumer.poll(Duration::from_millis(50)) else {
            continue;
        };
        let message = message.unwrap();
        // Some tests write what is no text.
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = message.headers().map(|headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), text(header.value)))
                .collect()
        });
        found.push(Logged {
            partition: message.partition(),
            offset: message.offset(),
            key: text(message.key()),
            value: text(message.payload()),
            headers: headers.unwrap_or_default(),
        });
    }
    found
}
