//! Records for tests.

use events_core::{Outgoing, RecordView};

use super::dialect;
use super::letter::{Letter, Words};
use super::names;
use super::plan::Target;

/// A record that was read.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Sample {
    pub(crate) fn new(topic: &str, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            offset,
            timestamp: 1_000,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// What `record` is once it has been written there.
    pub(crate) fn written(record: &Outgoing, partition: i32, offset: i64) -> Self {
        let mut sample = Self::new(&record.topic, partition, offset);
        sample.timestamp = record.timestamp.unwrap_or(0);
        sample.key = record.key().map(<[u8]>::to_vec);
        sample.value = record.value().map(<[u8]>::to_vec);
        let headers = record.headers().map(|(name, value)| {
            let name = String::from_utf8(name.to_vec()).unwrap();
            (name, value.unwrap_or_default().to_vec())
        });
        sample.headers = headers.collect();
        sample
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn replace(&mut self, name: &str, value: &[u8]) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_vec()));
    }

    pub(crate) fn keyed(mut self, key: &str) -> Self {
        self.key = Some(key.as_bytes().to_vec());
        self
    }
}

impl RecordView for Sample {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn partition(&self) -> i32 {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.offset
    }

    fn timestamp(&self) -> Option<i64> {
        Some(self.timestamp)
    }

    fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((name.as_bytes(), Some(value)))
    }
}

fn order(topic: &str, offset: i64) -> Sample {
    let mut sample = Sample::new(topic, 0, offset).keyed("o-1");
    sample.value = Some(br#"{"order_id":"o-1"}"#.to_vec());
    sample.with("ce_type", "OrderPlaced")
}

/// A letter of ours at that offset of partition 0 of `shipping.dead-letters`.
pub(crate) fn ours(offset: i64) -> Sample {
    order("shipping.dead-letters", offset)
        .with(names::KIND, "record")
        .with(names::TOPIC, "orders")
        .with(names::PARTITION, "3")
        .with(names::OFFSET, "41")
        .with(names::HANDLER, "shipping/ship")
        .with(
            names::ERROR,
            "order o-17 has no address\ncaused by: not found",
        )
        .with(names::ATTEMPTS, "5")
        .with(names::TIME, "2026-01-31T12:00:00.000Z")
}

/// A letter of ours for a key, from an offset of the source.
pub(crate) fn letter(offset: i64, key: &str, origin: i64) -> Sample {
    let mut sample = ours(offset).keyed(key);
    sample.replace(names::OFFSET, origin.to_string().as_bytes());
    sample
}

/// A letter of Spring Kafka.
pub(crate) fn spring(offset: i64) -> Sample {
    let mut sample = order("orders.DLT", offset);
    // Of the letter; its record's is 1,000.
    sample.timestamp = 2_000;
    sample
        .with("kafka_dlt-original-topic", "orders")
        .with("kafka_dlt-original-partition", 3_i32.to_be_bytes())
        .with("kafka_dlt-original-offset", 41_i64.to_be_bytes())
        .with("kafka_dlt-original-timestamp", 1_000_i64.to_be_bytes())
        .with("kafka_dlt-original-timestamp-type", "CreateTime")
        .with("kafka_dlt-original-consumer-group", "shipping-java")
        .with(
            "kafka_dlt-exception-fqcn",
            "org.springframework.kafka.listener.ListenerExecutionFailedException",
        )
        .with("kafka_dlt-exception-cause-fqcn", "com.shop.NoAddress")
        .with("kafka_dlt-exception-message", "Listener failed; no address")
}

/// A letter of Kafka Connect.
pub(crate) fn connect(offset: i64) -> Sample {
    order("connect-errors", offset)
        .with("__connect.errors.topic", "orders")
        .with("__connect.errors.partition", "3")
        .with("__connect.errors.offset", "41")
        .with("__connect.errors.connector.name", "sink")
        .with("__connect.errors.task.id", "0")
        .with("__connect.errors.stage", "VALUE_CONVERTER")
        .with(
            "__connect.errors.exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        )
        .with("__connect.errors.exception.message", "no address")
}

/// A resolution of the letter `of`, at an offset of partition 0.
pub(crate) fn resolution(offset: i64, of: &str, kind: &str) -> Sample {
    Sample::new("shipping.dead-letters", 0, offset)
        .with(names::FACT, "resolution")
        .with(names::OF, of)
        .with(names::RESOLUTION, kind)
        .with(names::ACTOR, "ann")
        .with(names::REASON, "tried")
        .with(names::TIME, "2026-01-31T13:00:00.000Z")
}

/// The letter that a record is.
pub(super) fn as_letter(record: &Sample) -> Letter {
    let headers = dialect::headers(record);
    let told = dialect::read(record, &headers).unwrap();
    Letter::of(record, &headers, &told, &mut Words::default())
}

/// Where `shipping/ship` gets it.
pub(super) fn target_of(letter: &Letter) -> Target {
    Target {
        handler: "shipping/ship".into(),
        parked: "shipping.parked.orders".into(),
        origin: letter.origin.clone().unwrap(),
    }
}
