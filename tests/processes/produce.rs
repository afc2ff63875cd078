//! Records as some producer writes them, acknowledged one by one.

use std::sync::mpsc::{self, Sender};
use std::sync::{LazyLock, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaResult;
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};

use crate::cluster::{ANSWER, Cluster};
use crate::wait::until;

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, Option<Vec<u8>>)>,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp: Option<i64>,
}

impl Entry {
    /// A task of type `event` with a key, as a well-behaved producer in another language writes it.
    pub(crate) fn task(event: &str, key: &str, id: u64) -> Self {
        let text = |text: &str| Some(text.as_bytes().to_vec());
        Self {
            partition: 0,
            key: text(key),
            value: Some(format!(r#"{{"key":"{key}"}}"#).into_bytes()),
            headers: vec![
                ("ce_specversion", text("1.0")),
                ("ce_id", text(&id.to_string())),
                ("ce_source", text("e2e")),
                ("ce_type", text(event)),
                ("content-type", text("application/json")),
            ],
            timestamp: None,
        }
    }

    pub(crate) fn on(mut self, partition: i32) -> Self {
        self.partition = partition;
        self
    }

    pub(crate) fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: Option<&[u8]>) -> Self {
        self.headers.push((name, value.map(<[u8]>::to_vec)));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    pub(crate) fn valued(mut self, value: Option<&[u8]>) -> Self {
        self.value = value.map(<[u8]>::to_vec);
        self
    }

    pub(crate) fn keyed(mut self, key: Option<&[u8]>) -> Self {
        self.key = key.map(<[u8]>::to_vec);
        self
    }
}

/// One for all tests: a new producer needs half a second before its first record goes out.
static PRODUCER: LazyLock<ThreadedProducer<Answers>> = LazyLock::new(|| {
    let mut config = Cluster::shared().config();
    config.set("enable.idempotence", "true");
    config.set("linger.ms", "1");
    // How soon it learns of partitions that are added.
    config.set("topic.metadata.refresh.interval.ms", "100");
    config.set("message.timeout.ms", "20000");
    ThreadedProducer::from_config_and_context(&config, Answers).expect("a producer starts")
});

/// Writes records in their order and answers the offset of each.
pub(crate) fn publish(topic: &str, entries: &[Entry]) -> Vec<i64> {
    let (answer, answers) = mpsc::channel();
    for (index, entry) in entries.iter().enumerate() {
        let headers = OwnedHeaders::new_with_capacity(entry.headers.len());
        let headers = entry.headers.iter().fold(headers, |headers, (key, value)| {
            let value = value.as_deref();
            headers.insert(Header { key, value })
        });
        until("the producer takes the record", || {
            let waiting = Box::new(Waiting {
                index,
                answer: Mutex::new(answer.clone()),
            });
            let mut record: BaseRecord<'_, [u8], [u8], Box<Waiting>> =
                BaseRecord::with_opaque_to(topic, waiting)
                    .partition(entry.partition)
                    .headers(headers.clone());
            record.key = entry.key.as_deref();
            record.payload = entry.value.as_deref();
            record.timestamp = entry.timestamp;
            // It may not know yet of a partition that was added a moment ago.
            let sent = PRODUCER.send(record);
            sent.map_err(|(error, _)| error.to_string())
        });
    }
    let mut offsets = vec![0; entries.len()];
    for _ in entries {
        let (index, outcome) = answers.recv_timeout(ANSWER).expect("the cluster answers");
        offsets[index] = outcome.expect("the cluster takes the record");
    }
    offsets
}

/// A record under way.
struct Waiting {
    index: usize,
    answer: Mutex<Sender<(usize, KafkaResult<i64>)>>,
}

struct Answers;

impl ClientContext for Answers {}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Waiting>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Box<Waiting>) {
        let offset = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.clone()),
        };
        let answer = waiting
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A test that has failed does not wait any more.
        let _ = answer.send((waiting.index, offset));
    }
}
