//! A record of a log, as a consumer sees it.

use std::sync::Arc;

use events_core::{DecodeError, Event, Outgoing, RecordView, Result, header, to_binary_mode};
use events_runtime::Record;

/// A record of a log. Cloning it copies no bytes.
#[derive(Debug, Clone)]
pub struct Received {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Key, value and headers.
    pub record: Arc<Outgoing>,
}

impl Received {
    /// The key as text; bad UTF-8 has its bad bytes replaced.
    pub fn key_text(&self) -> Option<String> {
        self.record.key().map(lossy)
    }

    /// The value of the last header called `name`, as text.
    pub fn header_text(&self, name: &str) -> Option<String> {
        self.record.header(name).map(lossy)
    }

    /// All headers as text, in their order; a null value reads as empty.
    pub fn headers_text(&self) -> Vec<(String, String)> {
        let headers = self.record.headers();
        headers
            .map(|(name, value)| (lossy(name), value.map(lossy).unwrap_or_default()))
            .collect()
    }

    /// The event type that the record names.
    pub fn event_type(&self) -> Option<String> {
        self.header_text(events_core::header::TYPE)
    }

    /// The payload as an event, as a handler reads it: an earlier version through its upcasters, also from structured mode.
    ///
    /// # Errors
    ///
    /// The value is no `E`.
    pub fn decode<E: Event>(&self) -> Result<E> {
        let opened = to_binary_mode(self)
            .transpose()
            .map_err(DecodeError::from)?;
        let record = opened.as_ref().unwrap_or(&self.record);
        let version = record.header(header::EVENT_VERSION).map(lossy);
        let version = version.and_then(|version| version.parse().ok());
        events_core::decode(record.value(), version.unwrap_or(1))
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl RecordView for Received {
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
        self.record.key()
    }

    fn value(&self) -> Option<&[u8]> {
        self.record.value()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        self.record.header_at(index)
    }
}

impl Record for Received {
    fn size(&self) -> usize {
        self.record.footprint()
    }
}
