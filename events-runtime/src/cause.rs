//! What a record's headers say to the emissions that it causes.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use events_core::engine::number;
use events_core::{Outgoing, RecordView, header};

/// What the headers of a cause say to its emissions.
pub(crate) struct Cause<'a> {
    pub(crate) source: Cow<'a, str>,
    pub(crate) id: Cow<'a, str>,
    pub(crate) correlation_id: Option<&'a str>,
    pub(crate) hops: u32,
    pub(crate) trace_parent: Option<&'a str>,
    pub(crate) trace_state: Option<&'a str>,
}

const SOURCE: &[u8] = header::SOURCE.as_bytes();
const ID: &[u8] = header::ID.as_bytes();
const CORRELATION_ID: &[u8] = header::CORRELATION_ID.as_bytes();
const HOPS: &[u8] = header::HOPS.as_bytes();
const TRACE_PARENT: &[u8] = header::TRACE_PARENT.as_bytes();
const TRACE_STATE: &[u8] = header::TRACE_STATE.as_bytes();

impl<'a> Cause<'a> {
    pub(crate) fn read<R: RecordView + ?Sized>(record: &'a R) -> Self {
        let mut cause = Self {
            source: Cow::Borrowed(""),
            id: Cow::Borrowed(""),
            correlation_id: None,
            hops: 0,
            trace_parent: None,
            trace_state: None,
        };
        let mut index = 0;
        while let Some((name, value)) = record.header(index) {
            index += 1;
            // The same reading as `Meta`'s and the routing's: of duplicates the last that is not null counts.
            let Some(value) = value else { continue };
            let text = || std::str::from_utf8(value).ok();
            match name {
                SOURCE => cause.source = Cow::Borrowed(text().unwrap_or("")),
                ID => cause.id = Cow::Borrowed(text().unwrap_or("")),
                CORRELATION_ID => cause.correlation_id = text().filter(|id| !id.is_empty()),
                HOPS => cause.hops = number(value).unwrap_or(0),
                TRACE_PARENT => cause.trace_parent = text(),
                TRACE_STATE => cause.trace_state = text(),
                _ => {}
            }
        }
        // A record of a producer that knows no CloudEvents is named by where it stands.
        if cause.source.is_empty() {
            cause.source = Cow::Owned(format!("kafka:{}", record.topic()));
        }
        if cause.id.is_empty() {
            cause.id = Cow::Owned(format!(
                "{}/{}/{}",
                record.topic(),
                record.partition(),
                record.offset()
            ));
        }
        cause
    }
}

/// Memory for the emissions of one record, used again for other records of its lane.
///
/// A lane fills it when it routes a record: then the client's parsed headers need not live until the attempt has ended. It
/// comes back with the acknowledgement, so that memory is taken and given back by the lane alone.
#[derive(Debug, Default)]
pub(crate) struct EmitBuffers {
    text: String,
    /// Where the parts of the cause end in `text`; each begins where the one before it ends.
    ends: [u32; 5],
    /// Which of the optional parts there are.
    has: [bool; 3],
    hops: u32,
    /// For the first emission. Nothing else refers to it.
    record: Option<Arc<Outgoing>>,
}

impl EmitBuffers {
    /// Bytes of one buffer that may be kept while nothing uses it.
    const MOST: usize = 2048;

    /// Copies what the headers of `record` say.
    pub(crate) fn keep_cause<R: RecordView + ?Sized>(&mut self, record: &R) {
        let cause = Cause::read(record);
        let optional = [cause.correlation_id, cause.trace_parent, cause.trace_state];
        let parts = [&*cause.source, &*cause.id]
            .into_iter()
            .chain(optional.map(Option::unwrap_or_default));
        self.text.clear();
        for (part, end) in parts.zip(&mut self.ends) {
            self.text.push_str(part);
            *end = self.text.len() as u32;
        }
        self.has = optional.map(|part| part.is_some());
        self.hops = cause.hops;
    }

    /// What was copied.
    pub(crate) fn cause(&self) -> Cause<'_> {
        let ends = self.ends.map(|end| end as usize);
        let [source, id, correlation_id, trace_parent, trace_state] = ends;
        let part = |range: Range<usize>| &self.text[range];
        let [correlates, has_parent, has_state] = self.has;
        Cause {
            source: Cow::Borrowed(part(0..source)),
            id: Cow::Borrowed(part(source..id)),
            correlation_id: correlates.then(|| part(id..correlation_id)),
            hops: self.hops,
            trace_parent: has_parent.then(|| part(correlation_id..trace_parent)),
            trace_state: has_state.then(|| part(trace_parent..trace_state)),
        }
    }

    /// The record of an earlier emission, to be written over.
    pub(crate) fn take_record(&mut self) -> Option<Arc<Outgoing>> {
        self.record.take()
    }

    /// Keeps an acknowledged emission for the next. One that something still refers to, such as a client that has yet to
    /// let go of it, or that is large, is dropped.
    pub(crate) fn put_record(&mut self, mut record: Arc<Outgoing>) {
        if Arc::get_mut(&mut record).is_some_and(|record| record.capacity() <= Self::MOST) {
            self.record = Some(record);
        }
    }

    /// Whether it may be kept while nothing uses it.
    pub(crate) fn is_small(&self) -> bool {
        self.text.capacity() <= Self::MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Headers(&'static [(&'static str, Option<&'static str>)]);

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
            Some((name.as_bytes(), value.map(str::as_bytes)))
        }
    }

    #[test]
    fn a_kept_cause_says_what_the_headers_said() {
        let cases = [
            Headers(&[
                ("ce_source", Some("shop")),
                ("ce_id", Some("1")),
                ("ce_correlationid", Some("flow")),
                ("ce_hops", Some("3")),
                ("traceparent", Some("00-1-2-01")),
                ("tracestate", Some("")),
            ]),
            Headers(&[
                ("ce_source", Some("größe")),
                ("ce_id", Some("1")),
                ("ce_id", None),
            ]),
            Headers(&[("ce_correlationid", Some("")), ("ce_hops", Some("many"))]),
            Headers(&[("ce_hops", Some("99999999999"))]),
            Headers(&[("ce_id", Some("2")), ("traceparent", Some("00-1-2-01"))]),
        ];
        let mut kept = EmitBuffers::default();
        for record in cases {
            let read = Cause::read(&record);
            kept.keep_cause(&record);
            let copy = kept.cause();
            assert_eq!((&copy.source, &copy.id), (&read.source, &read.id));
            assert_eq!(copy.correlation_id, read.correlation_id);
            assert_eq!(copy.hops, read.hops);
            assert_eq!(copy.trace_parent, read.trace_parent);
            assert_eq!(copy.trace_state, read.trace_state);
        }
        assert_eq!(kept.cause().source, "kafka:orders");
    }

    #[test]
    fn a_record_that_is_referred_to_or_large_is_not_written_over() {
        let mut buffers = EmitBuffers::default();
        let record = Arc::new(Outgoing::new("orders"));
        buffers.put_record(Arc::clone(&record));
        assert!(buffers.take_record().is_none());
        buffers.put_record(record);
        assert!(buffers.take_record().is_some());
        let large = Outgoing::with_capacity("orders", EmitBuffers::MOST + 1, 0);
        buffers.put_record(Arc::new(large));
        assert!(buffers.take_record().is_none());
    }
}
