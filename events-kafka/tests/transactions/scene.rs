//! A topic with a group, and producers that write to it in transactions.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use events_kafka::{Handle, Runtime};
use events_testkit::eventually;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::Handled;
use crate::support;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const MARK: &str = "-- answer --";
pub(crate) const SERVICE: &str = "TRANSACTIONS_SERVICE";
pub(crate) const WORDS: &str = "TRANSACTIONS_WORDS";

/// One topic, group and service.
pub(crate) struct Scene {
    topic: &'static str,
    service: &'static str,
}

/// A producer that writes in transactions. Whatever an earlier one of this name has left open is aborted.
pub(crate) fn producer(id: &str) -> BaseProducer {
    let producer: BaseProducer = config().set("transactional.id", id).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

fn config() -> ClientConfig {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_default();
    ClientConfig::from_iter([("bootstrap.servers".to_owned(), servers)])
}

impl Scene {
    /// None where there are no transactions.
    pub(crate) async fn set(
        topic: &'static str,
        service: &'static str,
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        if !support::real() {
            println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
            return None;
        }
        let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
        // What an earlier run left.
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let _ = admin.delete_groups(&[service], &options).await.unwrap();
        let _ = admin.delete_topics(&[topic], &options).await.unwrap();
        eventually("the topic of an earlier run is gone", async || {
            let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
            let new = settings
                .iter()
                .fold(new, |new, (name, value)| new.set(name, value));
            let made = admin.create_topics([&new], &options).await.unwrap();
            made[0].is_ok()
        })
        .await;
        Some(Self { topic, service })
    }

    pub(crate) async fn start(&self, handled: &Arc<Handled>) -> Handle {
        Runtime::new(self.service)
            .client(support::client())
            .ensure_topics(1, 1)
            .shared_state(Arc::clone(handled))
            .configure(|settings| {
                settings.commit_interval = Duration::from_millis(50);
                settings.park = None;
            })
            .spawn()
            .await
            .unwrap()
    }

    /// A producer within a transaction that has written so many records.
    pub(crate) fn begin(&self, type_name: &str, records: usize) -> BaseProducer {
        let id = support::unique(self.service);
        self.begin_as(&id, type_name, &vec!["k"; records])
    }

    /// The same with its own name for the transaction, and a record of each key.
    pub(crate) fn begin_as(&self, id: &str, type_name: &str, keys: &[&str]) -> BaseProducer {
        self.begin_with(id, keys, || {
            headers(&[
                ("ce_specversion", b"1.0"),
                ("ce_source", b"/transactions"),
                ("ce_type", type_name.as_bytes()),
                ("ce_id", support::unique("id").as_bytes()),
            ])
        })
    }

    /// The same with headers of its own for each record.
    pub(crate) fn begin_with(
        &self,
        id: &str,
        keys: &[&str],
        headers: impl Fn() -> OwnedHeaders,
    ) -> BaseProducer {
        let producer = producer(id);
        producer.begin_transaction().unwrap();
        for key in keys {
            let record = BaseRecord::to(self.topic)
                .key(*key)
                .payload("{}")
                .headers(headers());
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
        producer
    }

    /// Deletes the records below an offset, as retention does.
    pub(crate) async fn cut(&self, before: i64) {
        let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.topic, 0, Offset::Offset(before))
            .unwrap();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let cut = admin.delete_records(&list, &options).await.unwrap();
        assert!(cut.elements()[0].error().is_ok(), "{cut:?}");
    }

    /// The offset behind the last one that can be read, at an isolation level.
    pub(crate) fn end(&self, isolation: &str) -> i64 {
        let consumer = self.consumer(isolation);
        let ends = consumer.fetch_watermarks(self.topic, 0, PATIENCE);
        ends.unwrap().1
    }

    /// Waits until the group has committed up to an offset.
    pub(crate) async fn committed_once(&self, offset: i64) {
        let consumer = self.consumer("read_committed");
        let mut found = None;
        eventually(&format!("{offset} is committed"), async || {
            let mut list = TopicPartitionList::new();
            list.add_partition(self.topic, 0);
            let list = consumer.committed_offsets(list, PATIENCE).unwrap();
            found = Some(list.elements()[0].offset());
            found == Some(Offset::Offset(offset))
        })
        .await;
    }

    /// How many records the log hands out from its start to its end.
    pub(crate) fn records(&self) -> usize {
        let consumer = self.consumer("read_committed");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(self.topic, 0, Offset::Beginning)
            .unwrap();
        consumer.assign(&list).unwrap();
        let until = Instant::now() + PATIENCE;
        let mut records = 0;
        while Instant::now() < until {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(_)) => records += 1,
                Some(Err(KafkaError::PartitionEOF(_))) => return records,
                Some(Err(error)) => panic!("{error}"),
                None => {}
            }
        }
        panic!("no end after {records} records");
    }

    fn consumer(&self, isolation: &str) -> BaseConsumer {
        config()
            .set("group.id", self.service)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation)
            .create()
            .unwrap()
    }

    /// Whether the command `lag` says that there is something to do.
    pub(crate) async fn lags(&self, expected: bool) {
        let lag = self.lag().await;
        assert_eq!(lag.len(), 1, "{lag:?}");
        assert_eq!(lag[0]["records"] != 0, expected, "{lag:?}");
        assert_eq!(lag[0]["oldest"] != Value::Null, expected, "{lag:?}");
    }

    /// What the command `lag` says, which asks the cluster alone.
    pub(crate) async fn lag(&self) -> Vec<Value> {
        let said = self.says("lag --json").await;
        said.as_array().unwrap().clone()
    }

    /// What a command of the service says.
    pub(crate) async fn says(&self, words: &str) -> Value {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["command", "--exact", "--nocapture", "--test-threads=1"])
            .env(SERVICE, self.service)
            .env(WORDS, words)
            .env_remove("RUST_LOG");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!error.contains("EOF"), "{error}");
        let (_, own) = text
            .split_once(MARK)
            .unwrap_or_else(|| panic!("{text} {error}"));
        serde_json::from_str(own.trim()).unwrap_or_else(|fault| panic!("{fault}: {text} {error}"))
    }
}

pub(crate) fn headers(all: &[(&str, &[u8])]) -> OwnedHeaders {
    all.iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header {
                key,
                value: Some(*value),
            })
        })
}
