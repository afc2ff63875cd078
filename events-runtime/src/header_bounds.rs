//! How many headers a record may have, and what is kept of one that has more (D7, D18).

use events_core::{EnvelopeError, Outgoing, RecordView, header};

use crate::settings::Settings;

/// What the headers of a record take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeaderSize {
    pub(crate) count: usize,
    /// Bytes of names and values.
    pub(crate) bytes: usize,
}

impl HeaderSize {
    pub(crate) fn of(record: &dyn RecordView) -> Self {
        let mut size = Self::default();
        while let Some((name, value)) = record.header(size.count) {
            size.add(name, value);
        }
        size
    }

    pub(crate) fn add(&mut self, name: &[u8], value: Option<&[u8]>) {
        self.count += 1;
        self.bytes += name.len() + value.map_or(0, <[u8]>::len);
    }

    /// Why a record with these headers is not dispatched; `None` within the bounds.
    pub(crate) fn fault(self, settings: &Settings) -> Option<EnvelopeError> {
        let (most, most_bytes) = (settings.record_headers, settings.record_header_bytes);
        (self.count > most || self.bytes > most_bytes).then_some(EnvelopeError::Headers {
            count: self.count,
            bytes: self.bytes,
            most,
            most_bytes,
        })
    }
}

/// Headers that a reduced copy keeps beside those of the envelope, and their bytes.
const KEPT: HeaderSize = HeaderSize {
    count: 16,
    bytes: 8 * 1024,
};
/// Bytes of the longest value that a header of the envelope keeps in a reduced copy.
const KEPT_VALUE: usize = 1024;
/// The headers that say what a record is.
const ENVELOPE: [&str; 13] = [
    header::SPEC_VERSION,
    header::ID,
    header::SOURCE,
    header::TYPE,
    header::TIME,
    header::SUBJECT,
    header::EVENT_VERSION,
    header::CORRELATION_ID,
    header::CAUSATION_ID,
    header::HOPS,
    header::CONTENT_TYPE,
    header::TRACE_PARENT,
    header::TRACE_STATE,
];

/// Copies the headers of the envelope, the last of each name, and the first few others into `copy`. Returns how many
/// headers are left out.
pub(crate) fn copy_reduced<'a>(
    headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    copy: &mut Outgoing,
) -> usize {
    let mut envelope = [None; ENVELOPE.len()];
    let (mut all, mut kept) = (0, HeaderSize::default());
    for (name, value) in headers {
        all += 1;
        let place = ENVELOPE.iter().position(|known| known.as_bytes() == name);
        if let Some(place) = place {
            if value.is_some_and(|value| value.len() <= KEPT_VALUE) {
                envelope[place] = value;
            }
            continue;
        }
        let mut next = kept;
        next.add(name, value);
        if next.count <= KEPT.count && next.bytes <= KEPT.bytes {
            kept = next;
            copy.add_raw_header(name, value);
        }
    }
    for (name, value) in ENVELOPE.iter().zip(envelope) {
        if let Some(value) = value {
            copy.add_header(name, value);
        }
    }
    all - copy.headers().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opened::OpenedRecord;
    use crate::parking::fact::headers;

    fn record(fill: impl FnOnce(&mut Outgoing)) -> OpenedRecord {
        let mut record = Outgoing::new("orders");
        record.set_key(b"o-1").set_value(b"{}");
        fill(&mut record);
        OpenedRecord::at(0, 7, record)
    }

    #[test]
    fn the_bounds_count_names_and_values() {
        let settings = Settings {
            record_headers: 40,
            record_header_bytes: 10_000,
            ..Settings::default()
        };
        let with = |count: usize, value: usize| {
            let record = record(|record| {
                for _ in 0..count {
                    record.add_header("abcd", vec![b'x'; value]);
                }
            });
            HeaderSize::of(&record).fault(&settings).is_some()
        };
        assert!(!with(40, 0) && with(41, 0));
        assert!(!with(4, 2_496) && with(4, 2_497));
    }

    #[test]
    fn a_reduced_copy_keeps_the_envelope_and_the_first_others() {
        let many = record(|record| {
            record.add_header(header::ID, "first");
            for number in 0..50_000 {
                record.add_header("tenant", number.to_string());
            }
            record.add_header(header::ID, "last");
            record.add_raw_header(header::ID.as_bytes(), None);
            record.add_header(header::TRACE_STATE, vec![b'x'; KEPT_VALUE + 1]);
        });
        let mut copy = Outgoing::new("orders");
        let left_out = copy_reduced(headers(&many), &mut copy);
        assert_eq!(copy.header(header::ID), Some(&b"last"[..]));
        assert_eq!(copy.header("tenant"), Some(&b"15"[..]));
        assert_eq!(copy.header(header::TRACE_STATE), None);
        assert_eq!((copy.headers().len(), left_out), (17, 50_004 - 17));
    }

    #[test]
    fn a_reduced_copy_leaves_a_large_header_out() {
        let large = record(|record| {
            record.add_header("blob", vec![b'x'; 500_000]);
            record.add_header("tenant", "acme");
        });
        let mut copy = Outgoing::new("orders");
        assert_eq!(copy_reduced(headers(&large), &mut copy), 1);
        assert_eq!(copy.header("tenant"), Some(&b"acme"[..]));
    }
}
