//! Records as some producer writes them, acknowledged one by one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::cluster::{ANSWER, Cluster};

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

/// Writes records in their order and answers the offset of each.
pub(crate) fn publish(topic: &str, entries: &[Entry]) -> Vec<i64> {
    let mut config = Cluster::shared().config();
    config.set("enable.idempotence", "true");
    config.set("linger.ms", "1");
    config.set("message.timeout.ms", "20000");
    let producer = BaseProducer::from_config_and_context(&config, Answers::default())
        .expect("a producer starts");
    for (index, entry) in entries.iter().enumerate() {
        let headers = OwnedHeaders::new_with_capacity(entry.headers.len());
        let headers = entry.headers.iter().fold(headers, |headers, (key, value)| {
            let value = value.as_deref();
            headers.insert(Header { key, value })
        });
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(topic, index)
                .partition(entry.partition)
                .headers(headers);
        record.key = entry.key.as_deref();
        record.payload = entry.value.as_deref();
        record.timestamp = entry.timestamp;
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("the producer has room");
        producer.poll(Duration::ZERO);
    }
    producer
        .flush(ANSWER)
        .expect("the cluster acknowledges every record");
    let mut answers = producer
        .context()
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    answers.sort_unstable();
    assert_eq!(answers.len(), entries.len());
    answers.iter().map(|(_, offset)| *offset).collect()
}

/// Index and offset of each acknowledged record.
#[derive(Default)]
struct Answers(Mutex<Vec<(usize, i64)>>);

impl ClientContext for Answers {}

impl ProducerContext for Answers {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let message = result.as_ref().expect("the cluster takes the record");
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((index, message.offset()));
    }
}
