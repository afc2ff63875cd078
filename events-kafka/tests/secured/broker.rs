//! The broker, as its admin sees it.

use std::env;
use std::time::{Duration, Instant};

use events_kafka::ClientOptions;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::acls;
use crate::right::Right;

/// How long anything may take.
const SOON: Duration = Duration::from_secs(60);

/// Whom the service is for the broker.
pub(crate) const PRINCIPAL: &str = "User:shop";

pub(crate) struct Broker {
    pub(crate) admin: AdminClient<DefaultClientContext>,
}

/// What a test is told of the broker.
fn told(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: `cargo xtask test --only features` brings the broker up and runs this test")
    })
}

/// How `user` connects.
pub(crate) fn properties(user: &str) -> [(&'static str, String); 6] {
    let password = told(&format!("SECURED_KAFKA_{}", user.to_uppercase()));
    [
        ("bootstrap.servers", told("SECURED_KAFKA")),
        ("security.protocol", "sasl_ssl".to_owned()),
        ("sasl.mechanism", "PLAIN".to_owned()),
        ("sasl.username", user.to_owned()),
        ("sasl.password", password),
        ("ssl.ca.location", told("SECURED_KAFKA_CERTIFICATE")),
    ]
}

/// What must stand in no text.
pub(crate) fn secrets() -> [String; 2] {
    ["SECURED_KAFKA_ADMIN", "SECURED_KAFKA_SHOP"].map(told)
}

/// The options of a service that is the user `shop`, and learns soon of new partitions.
pub(crate) fn shop() -> ClientOptions {
    let refresh = ("topic.metadata.refresh.interval.ms", "500".to_owned());
    let properties = properties("shop").into_iter().chain([refresh]);
    properties.fold(
        ClientOptions::without_environment(),
        |options, (name, value)| options.set(name, value),
    )
}

impl Broker {
    pub(crate) fn connect() -> Self {
        let admin = config().create().unwrap();
        Self { admin }
    }

    /// Makes the topics of the service anew.
    pub(crate) async fn make(&self, topics: &[&str]) {
        self.delete(topics).await;
        let new: Vec<_> = topics
            .iter()
            .map(|name| {
                let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
                if name.contains(".parked.") {
                    topic
                        .set("retention.ms", "-1")
                        .set("max.message.bytes", "1200000")
                } else if name.ends_with(".dead-letters") {
                    topic.set("max.message.bytes", "1200000")
                } else {
                    topic
                }
            })
            .collect();
        let options = AdminOptions::new();
        eventually("the topics are made", async || {
            let made = self.admin.create_topics(&new, &options).await.unwrap();
            made.iter().all(|outcome| match outcome {
                Ok(_) => true,
                Err((_, code)) => *code == rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists,
            })
        })
        .await;
    }

    pub(crate) async fn delete(&self, topics: &[&str]) {
        let _ = self
            .admin
            .delete_topics(topics, &AdminOptions::new())
            .await
            .unwrap();
        eventually("the topics are gone", async || {
            let listed = self.admin.inner().fetch_metadata(None, SOON).unwrap();
            !listed
                .topics()
                .iter()
                .any(|topic| topics.contains(&topic.name()))
        })
        .await;
    }

    pub(crate) async fn grow(&self, topic: &str, partitions: usize) {
        let new = NewPartitions::new(topic, partitions);
        let options = AdminOptions::new();
        let grown = self
            .admin
            .create_partitions([&new], &options)
            .await
            .unwrap();
        assert!(grown[0].is_ok(), "{grown:?}");
    }

    pub(crate) fn partitions(&self, topic: &str) -> usize {
        let listed = self.admin.inner().fetch_metadata(None, SOON).unwrap();
        let mut topics = listed.topics().iter();
        topics
            .find(|found| found.name() == topic)
            .map_or(0, |found| found.partitions().len())
    }

    pub(crate) fn grant(&self, right: &Right) {
        acls::grant(&self.admin, PRINCIPAL, right);
    }

    pub(crate) fn take(&self, right: &Right) {
        assert!(
            acls::take(&self.admin, PRINCIPAL, right),
            "{right} was not granted"
        );
    }

    /// Grants these and nothing else of `all`.
    pub(crate) fn grant_only(&self, rights: &[Right], all: &[Right]) {
        for right in all {
            acls::take(&self.admin, PRINCIPAL, right);
        }
        rights.iter().for_each(|right| self.grant(right));
    }

    /// The records of a topic with one partition, as `key: headers` in text.
    pub(crate) fn records(&self, topic: &str) -> Vec<String> {
        let mut config = config();
        config
            .set("group.id", "reader")
            .set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create().unwrap();
        let (_, end) = consumer.fetch_watermarks(topic, 0, SOON).unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning)
            .unwrap();
        consumer.assign(&list).unwrap();
        let (mut found, until) = (Vec::new(), Instant::now() + SOON);
        while (found.len() as i64) < end {
            assert!(Instant::now() < until, "{topic}: {found:?}");
            let Some(message) = consumer.poll(Duration::from_millis(50)) else {
                continue;
            };
            let message = message.unwrap();
            let text = |bytes: Option<&[u8]>| {
                String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
            };
            let mut shown = text(message.key());
            for header in message.headers().iter().flat_map(|headers| headers.iter()) {
                shown.push_str(&format!("\n{}: {}", header.key, text(header.value)));
            }
            found.push(shown);
        }
        found
    }

    /// Commits the start of a topic for `group`.
    pub(crate) fn commit(&self, group: &str, topic: &str) {
        let mut config = config();
        config.set("group.id", group);
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Offset(0))
            .unwrap();
        consumer.commit(&list, CommitMode::Sync).unwrap();
    }

    pub(crate) async fn forget(&self, group: &str) {
        let options = AdminOptions::new();
        let gone = self.admin.delete_groups(&[group], &options).await.unwrap();
        assert!(gone[0].is_ok(), "{gone:?}");
    }

    /// The offset that `group` has committed.
    pub(crate) fn committed(&self, group: &str, topic: &str) -> Option<i64> {
        let mut config = config();
        config.set("group.id", group);
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, 0);
        let committed = consumer.committed_offsets(list, SOON).unwrap();
        match committed.elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

fn config() -> ClientConfig {
    let properties = properties("admin").into_iter();
    properties
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Waits for something that happens by itself.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let until = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < until, "not after {SOON:?}: {what}");
        ticks.tick().await;
    }
}
