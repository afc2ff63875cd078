//! The envelope of an event on the wire: CloudEvents 1.0, Kafka protocol binding, binary mode.
//!
//! Names follow the [CloudEvents Kafka binding](https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md)
//! and [W3C Trace Context](https://www.w3.org/TR/trace-context/).

use std::borrow::Cow;

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
    /// The record's key, where it is UTF-8.
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
    /// Nothing is refused here: a header that is not UTF-8 has its bad bytes replaced, a number that is none
    /// counts as absent, and of duplicate headers the last counts.
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
                meta.set(name, String::from_utf8_lossy(value));
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

    fn set(&mut self, name: &[u8], value: Cow<'_, str>) {
        let name = String::from_utf8_lossy(name);
        match &*name {
            header::ID => self.id = value.into_owned(),
            header::SOURCE => self.source = value.into_owned(),
            header::TYPE | header::SPEC_VERSION | header::CONTENT_TYPE | header::SUBJECT => {}
            header::TIME => self.time = Some(value.into_owned()),
            header::EVENT_VERSION => self.version = value.parse().unwrap_or(1),
            header::CORRELATION_ID => self.correlation_id = value.into_owned(),
            header::CAUSATION_ID => self.causation_id = Some(value.into_owned()),
            header::HOPS => self.hops = value.parse().unwrap_or(0),
            header::TRACE_PARENT => self.trace_parent = Some(value.into_owned()),
            header::TRACE_STATE => self.trace_state = Some(value.into_owned()),
            _ => self.headers.push((name.into_owned(), value.into_owned())),
        }
    }
}
