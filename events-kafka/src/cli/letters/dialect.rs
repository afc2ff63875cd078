//! What the headers of a dead letter say, whoever wrote them.

use std::borrow::Cow;

use events_core::{RecordView, header};
use serde::Serialize;

use super::names;
use crate::cli::headers::number;
pub(super) use crate::cli::headers::{Headers, all, headers, text};
use crate::cli::moment::{self, Millis};

/// Who wrote a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dialect {
    /// A service of this framework.
    Events,
    /// Spring Kafka.
    Spring,
    /// Kafka Connect.
    Connect,
}

/// What the headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) dialect: Dialect,
    pub(super) handler: Option<Cow<'a, str>>,
    pub(super) topic: Option<Cow<'a, str>>,
    pub(super) partition: Option<i32>,
    pub(super) offset: Option<i64>,
    /// The record's own time, where the letter's is another.
    pub(super) timestamp: Option<Millis>,
    /// The error and its causes.
    pub(super) error: Option<Cow<'a, str>>,
    /// Its type.
    pub(super) code: Option<Cow<'a, str>>,
    pub(super) attempts: Option<u32>,
    /// When it was given up.
    pub(super) time: Option<Millis>,
    /// It could not be published; the letter of the record that caused it stands beside it.
    pub(super) emission: bool,
    /// It names its record's origin instead of carrying the record.
    pub(super) reference: bool,
}

/// Whether a header was put there by whoever gave the record up, so that it is not the record's own.
pub(super) fn is_foreign(name: &[u8]) -> bool {
    [names::OURS, names::PARKED, names::SPRING, names::CONNECT]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Reads the headers of a dead letter; none if the record is no letter of anybody known here.
pub(super) fn read<'a>(record: &dyn RecordView, headers: &Headers<'a>) -> Option<Told<'a>> {
    let is = |prefix: &[u8]| headers.keys().any(|name| name.starts_with(prefix));
    if headers.contains_key(names::HANDLER.as_bytes()) {
        Some(ours(headers))
    } else if is(names::SPRING) {
        Some(spring(record, headers))
    } else if is(names::CONNECT) {
        Some(connect(record, headers))
    } else {
        None
    }
}

/// The version of the record's type, as handlers read it: 1 where it says nothing.
pub(super) fn version(headers: &Headers<'_>) -> u32 {
    number(headers, header::EVENT_VERSION.as_bytes()).unwrap_or(1)
}

fn ours<'a>(headers: &Headers<'a>) -> Told<'a> {
    let text = |name: &str| text(headers, name.as_bytes());
    Told {
        dialect: Dialect::Events,
        handler: text(names::HANDLER),
        topic: text(names::TOPIC),
        partition: number(headers, names::PARTITION.as_bytes()),
        offset: number(headers, names::OFFSET.as_bytes()),
        // Only where the dead-letter topic refused it as the letter's own.
        timestamp: number(headers, names::TIMESTAMP.as_bytes()),
        error: text(names::ERROR),
        code: text(names::CODE),
        attempts: number(headers, names::ATTEMPTS.as_bytes()),
        time: text(names::TIME).and_then(|time| moment::parse(&time)),
        emission: text(names::KIND).is_some_and(|kind| kind == "emission"),
        reference: text(names::REFERENCE).is_some(),
    }
}

fn spring<'a>(record: &dyn RecordView, headers: &Headers<'a>) -> Told<'a> {
    let name = |part: &str| [names::SPRING, part.as_bytes()].concat();
    let text = |part: &str| text(headers, &name(part));
    let bytes = |part: &str| headers.get(&*name(part)).copied();
    let short = |bytes: &[u8]| Some(i32::from_be_bytes(bytes.try_into().ok()?));
    let long = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
    let (message, cause) = (text("exception-message"), text("exception-cause-fqcn"));
    Told {
        dialect: Dialect::Spring,
        handler: None,
        topic: text("original-topic"),
        partition: bytes("original-partition").and_then(short),
        offset: bytes("original-offset").and_then(long),
        timestamp: bytes("original-timestamp").and_then(long),
        error: message.or_else(|| text("exception-fqcn")),
        // The outer class is the listener's own for every error.
        code: cause.or_else(|| text("exception-fqcn")),
        attempts: None,
        time: record.timestamp(),
        emission: false,
        reference: false,
    }
}

fn connect<'a>(record: &dyn RecordView, headers: &Headers<'a>) -> Told<'a> {
    let name = |part: &str| [names::CONNECT, part.as_bytes()].concat();
    let text = |part: &str| text(headers, &name(part));
    Told {
        dialect: Dialect::Connect,
        handler: None,
        topic: text("topic"),
        partition: number(headers, &name("partition")),
        offset: number(headers, &name("offset")),
        timestamp: None,
        error: text("exception.message").or_else(|| text("exception.class.name")),
        code: text("exception.class.name"),
        attempts: None,
        time: record.timestamp(),
        emission: false,
        reference: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, connect, ours, spring};
    use super::*;

    fn told(sample: &Sample) -> Option<Told<'_>> {
        read(sample, &headers(sample))
    }

    #[test]
    fn each_dialect_says_where_a_record_came_from() {
        for sample in [ours(7), spring(7), connect(7)] {
            let told = told(&sample).unwrap();
            assert_eq!(
                (told.topic.as_deref(), told.partition, told.offset),
                (Some("orders"), Some(3), Some(41)),
                "{told:?}"
            );
            assert!(told.error.as_deref().unwrap().contains("no address"));
        }
        assert_eq!(
            told(&ours(7)).unwrap().handler.as_deref(),
            Some("shipping/ship")
        );
        assert_eq!(told(&spring(7)).unwrap().timestamp, Some(1_000));
        assert_eq!(
            told(&connect(7)).unwrap().code.as_deref(),
            Some("org.apache.kafka.connect.errors.DataException")
        );
    }

    #[test]
    fn a_number_of_the_wrong_width_is_no_number() {
        let mut sample = spring(7);
        sample.replace("kafka_dlt-original-partition", b"3");
        assert_eq!(told(&sample).unwrap().partition, None);
    }

    #[test]
    fn other_records_are_no_letters() {
        assert_eq!(told(&Sample::new("orders", 0, 1)), None);
    }
}
