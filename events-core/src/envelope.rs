//! The envelope of an event on the wire: CloudEvents 1.0, Kafka protocol binding, binary mode.
//!
//! Names follow the [CloudEvents Kafka binding](https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md)
//! and [W3C Trace Context](https://www.w3.org/TR/trace-context/).

use std::num::IntErrorKind;

use crate::record::RecordView;

/// Names of the headers.
pub mod header {
    /// CloudEvents version; always `1.0`.
    pub const SPEC_VERSION: &str = "ce_specversion";
    /// Unique within the source.
    pub const ID: &str = "ce_id";
    /// Who published the event: the service's name.
    pub const SOURCE: &str = "ce_source";
    /// The event type.
    pub const TYPE: &str = "ce_type";
    /// When it was published, RFC 3339.
    pub const TIME: &str = "ce_time";
    /// What it is about; the key, where there is one.
    pub const SUBJECT: &str = "ce_subject";
    /// Extension: the version of the event type, a decimal number.
    pub const EVENT_VERSION: &str = "ce_eventversion";
    /// Extension: shared by all events of a flow.
    pub const CORRELATION_ID: &str = "ce_correlationid";
    /// Extension: id of the event that caused this one.
    pub const CAUSATION_ID: &str = "ce_causationid";
    /// Extension: how many handlers stand between the flow's first event and this one.
    pub const HOPS: &str = "ce_hops";
    /// Extension: the record's time in milliseconds since the Unix epoch, where its topic refuses it as the record's own.
    pub const RECORD_TIME: &str = "ce_recordtime";
    /// The payload's media type.
    pub const CONTENT_TYPE: &str = "content-type";
    /// W3C trace context.
    pub const TRACE_PARENT: &str = "traceparent";
    /// W3C trace context, vendors' part.
    pub const TRACE_STATE: &str = "tracestate";
}

/// The envelope of a record, and where the record stands. A handler may take it as an argument.
///
/// # Examples
///
/// ```
/// use events_core::{event, handler, Meta};
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
///
/// #[handler]
/// async fn audit(order: OrderPlaced, meta: Meta) {
///     println!("{} belongs to flow {}", order.order_id, meta.correlation_id);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// Unique within `source`. A record without `ce_id` gets `topic/partition/offset`.
    pub id: String,
    /// Who published it. A record without `ce_source` gets `kafka:` and its topic.
    pub source: String,
    /// The event type that the record was handled as.
    pub event_type: String,
    /// The version of that type; 1 where the record names none.
    pub version: u32,
    /// When it was published, RFC 3339, as the record says it.
    pub time: Option<String>,
    /// The flow; the event's own id where the record names none.
    pub correlation_id: String,
    /// The event that caused it.
    pub causation_id: Option<String>,
    /// Handlers between the flow's first event and this one.
    pub hops: u32,
    /// W3C trace context.
    pub trace_parent: Option<String>,
    /// W3C trace context, vendors' part.
    pub trace_state: Option<String>,
    /// The record's topic.
    pub topic: String,
    /// The record's partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// The record's key; bytes that are not UTF-8 are replaced.
    pub key: Option<String>,
    /// The record's timestamp in milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// Whether this is a replay.
    pub replay: bool,
    /// All other headers, in their order; a value that is not UTF-8 has its bad bytes replaced.
    pub headers: Vec<(String, String)>,
}

impl Meta {
    /// Reads the envelope of `record`, which is handled as `event_type`.
    ///
    /// Nothing is refused here. Of duplicate headers the last that is not null counts. A header of the envelope that is not
    /// UTF-8, is empty where it names something, or is no number where it should be one, counts as absent, and a number
    /// beyond 32 bits as the largest; any other header has its bad bytes replaced.
    pub fn read(record: &dyn RecordView, event_type: &str, attempt: u32) -> Self {
        let mut meta = Self {
            id: String::new(),
            source: String::new(),
            event_type: event_type.to_owned(),
            version: 1,
            time: None,
            correlation_id: String::new(),
            causation_id: None,
            hops: 0,
            trace_parent: None,
            trace_state: None,
            topic: record.topic().to_owned(),
            partition: record.partition(),
            offset: record.offset(),
            key: record
                .key()
                .map(|key| String::from_utf8_lossy(key).into_owned()),
            timestamp: record.timestamp(),
            attempt,
            replay: false,
            headers: Vec::new(),
        };
        let mut index = 0;
        while let Some((name, value)) = record.header(index) {
            index += 1;
            if let Some(value) = value {
                meta.set(name, value);
            }
        }
        if meta.id.is_empty() {
            meta.id = format!("{}/{}/{}", meta.topic, meta.partition, meta.offset);
        }
        if meta.source.is_empty() {
            meta.source = format!("kafka:{}", meta.topic);
        }
        if meta.correlation_id.is_empty() {
            meta.correlation_id.clone_from(&meta.id);
        }
        meta
    }

    /// The value of a custom header, the last of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        // What routes and dedupes a record, and what names the cause of an emission, reads the same way.
        let text = || std::str::from_utf8(value).ok();
        let owned = || text().map(str::to_owned);
        let number = || number(value);
        let name = String::from_utf8_lossy(name);
        match &*name {
            header::ID => self.id = owned().unwrap_or_default(),
            header::SOURCE => self.source = owned().unwrap_or_default(),
            header::TYPE | header::SPEC_VERSION | header::CONTENT_TYPE | header::SUBJECT => {}
            header::TIME => self.time = owned(),
            header::EVENT_VERSION => self.version = number().unwrap_or(1),
            header::CORRELATION_ID => self.correlation_id = owned().unwrap_or_default(),
            header::CAUSATION_ID => self.causation_id = owned(),
            header::HOPS => self.hops = number().unwrap_or(0),
            header::TRACE_PARENT => self.trace_parent = owned(),
            header::TRACE_STATE => self.trace_state = owned(),
            _ => self.headers.push((
                name.into_owned(),
                String::from_utf8_lossy(value).into_owned(),
            )),
        }
    }
}

/// The number that a header says. One that is too large to be told is the largest, not none: hops must not begin at 0 again,
/// and a later version is no earlier one.
///
/// For engines.
#[doc(hidden)]
pub fn number(value: &[u8]) -> Option<u32> {
    match std::str::from_utf8(value).ok()?.parse() {
        Ok(number) => Some(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(u32::MAX),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Headers(&'static [(&'static str, Option<&'static [u8]>)]);

    impl RecordView for Headers {
        fn topic(&self) -> &str {
            "orders"
        }
        fn partition(&self) -> i32 {
            3
        }
        fn offset(&self) -> i64 {
            7
        }
        fn timestamp(&self) -> Option<i64> {
            None
        }
        fn key(&self) -> Option<&[u8]> {
            None
        }
        fn value(&self) -> Option<&[u8]> {
            None
        }
        fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
            let (name, value) = self.0.get(index)?;
            Some((name.as_bytes(), *value))
        }
    }

    #[test]
    fn a_null_behind_a_value_changes_nothing() {
        let meta = Meta::read(
            &Headers(&[
                (header::ID, Some(b"first")),
                (header::ID, Some(b"second")),
                (header::ID, None),
                (header::SOURCE, Some(b"shop")),
                (header::SOURCE, None),
                (header::CORRELATION_ID, Some(b"flow")),
                (header::CORRELATION_ID, None),
                (header::HOPS, Some(b"4")),
                (header::HOPS, None),
            ]),
            "OrderPlaced",
            1,
        );
        assert_eq!(
            (&*meta.id, &*meta.source, &*meta.correlation_id, meta.hops),
            ("second", "shop", "flow", 4)
        );
    }

    /// An id with replaced bytes would be shared by records that have nothing in common.
    #[test]
    fn an_id_that_is_no_text_is_none() {
        for bad in [&b"\xff\xfe"[..], b""] {
            let headers: &[_] = Vec::leak(vec![
                (header::ID, Some(&b"good"[..])),
                (header::ID, Some(bad)),
                (header::SOURCE, Some(bad)),
                (header::CORRELATION_ID, Some(bad)),
                ("tenant", Some(b"caf\xe9")),
            ]);
            let meta = Meta::read(&Headers(headers), "OrderPlaced", 1);
            assert_eq!(
                (&*meta.id, &*meta.source, &*meta.correlation_id),
                ("orders/3/7", "kafka:orders", "orders/3/7")
            );
            assert_eq!(meta.header("tenant"), Some("caf\u{fffd}"));
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_the_largest() {
        let numbers: [(&[u8], _); 6] = [
            (b"4", Some(4)),
            (b"4294967296", Some(u32::MAX)),
            (b"99999999999999999999999999", Some(u32::MAX)),
            (b"-1", None),
            (b"", None),
            (b"\xff", None),
        ];
        for (text, expected) in numbers {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }
}
