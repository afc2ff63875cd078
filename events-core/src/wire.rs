//! How an event is laid out as a record: CloudEvents binary mode.

use std::fmt::Write as _;

use crate::emission::Emitted;
use crate::envelope::header;
use crate::record::Outgoing;

/// What an event's headers say beside what its type says.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Unique within `source`.
    pub id: &'a str,
    /// The publishing service.
    pub source: &'a str,
    /// RFC 3339.
    pub time: &'a str,
    /// The flow.
    pub correlation_id: &'a str,
    /// The cause's id; none at the edge.
    pub causation_id: Option<&'a str>,
    /// Handlers passed so far.
    pub hops: u32,
    /// W3C trace context.
    pub trace_parent: Option<&'a str>,
    /// W3C trace context, vendors' part.
    pub trace_state: Option<&'a str>,
}

/// Most bytes that the fixed header names, the version, the hops and the specification's version take together.
const FIXED: usize = 160;

impl Envelope<'_> {
    /// The record for `event`.
    ///
    /// # Examples
    ///
    /// ```
    /// use events_core::{event, Emissions, Envelope};
    ///
    /// #[event(topic = "orders", key = order_id)]
    /// pub struct OrderPlaced { pub order_id: String }
    ///
    /// let mut emissions = Emissions::new();
    /// emissions.push(&OrderPlaced { order_id: "o-1".into() })?;
    /// let envelope = Envelope {
    ///     id: "1", source: "shop", time: "2026-01-31T12:00:00Z", correlation_id: "1",
    ///     causation_id: None, hops: 0, trace_parent: None, trace_state: None,
    /// };
    /// let record = envelope.record(emissions.iter().next().unwrap());
    /// assert_eq!(record.key(), Some(&b"o-1"[..]));
    /// assert_eq!(record.header("ce_type"), Some(&b"OrderPlaced"[..]));
    /// # Ok::<(), events_core::Error>(())
    /// ```
    pub fn record(&self, event: Emitted<'_>) -> Outgoing {
        let mut record = Outgoing::new(event.event.topic);
        self.write(event, &mut record);
        record
    }

    /// Makes `record` the one for `event`, in the memory that it has.
    pub fn write(&self, event: Emitted<'_>, record: &mut Outgoing) {
        let descriptor = event.event;
        let optional = [self.causation_id, self.trace_parent, self.trace_state];
        let texts = [
            self.id,
            self.source,
            self.time,
            self.correlation_id,
            descriptor.name,
            descriptor.content_type,
        ];
        let size = FIXED
            + event.key.map_or(0, str::len)
            + event.value.len()
            + texts.iter().map(|text| text.len()).sum::<usize>()
            + optional
                .iter()
                .flatten()
                .map(|text| text.len())
                .sum::<usize>();
        record.reset(descriptor.topic);
        record.reserve(size, 12);
        if let Some(key) = event.key {
            record.set_key(key.as_bytes());
        }
        record.set_value(event.value);
        record.add_header(header::SPEC_VERSION, "1.0");
        record.add_header(header::ID, self.id);
        record.add_header(header::SOURCE, self.source);
        record.add_header(header::TYPE, descriptor.name);
        record.add_header(header::TIME, self.time);
        record.add_header(header::CONTENT_TYPE, descriptor.content_type);
        // Every reader assumes what these two leave out, and each header costs allocations in the client, at both ends.
        if descriptor.version != 1 {
            let version = Decimal::of(descriptor.version);
            record.add_header(header::EVENT_VERSION, version.as_str());
        }
        record.add_header(header::CORRELATION_ID, self.correlation_id);
        if self.hops != 0 {
            record.add_header(header::HOPS, Decimal::of(self.hops).as_str());
        }
        let named = [
            header::CAUSATION_ID,
            header::TRACE_PARENT,
            header::TRACE_STATE,
        ];
        for (name, value) in named.into_iter().zip(optional) {
            // A null header is never written: other SDKs refuse the record.
            if let Some(value) = value {
                record.add_header(name, value);
            }
        }
    }
}

/// A number as text without an allocation.
struct Decimal {
    digits: [u8; 10],
    length: usize,
}

impl Decimal {
    fn of(number: u32) -> Self {
        let mut decimal = Self {
            digits: [0; 10],
            length: 0,
        };
        // Ten digits hold every u32.
        let _ = write!(decimal, "{number}");
        decimal
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or("0")
    }
}

impl std::fmt::Write for Decimal {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self
            .digits
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Now, as `ce_time` says it: RFC 3339 with milliseconds.
pub fn time_now() -> String {
    humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string()
}
