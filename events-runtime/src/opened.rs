//! A record that came in CloudEvents structured mode, as everything behind the routing sees it: in binary mode.

use events_core::{EnvelopeError, Outgoing, RecordView, to_binary_mode};

use crate::header_bounds::copy_reduced;
use crate::parking::fact::{copy_own, headers};
use crate::transport::Record;

/// Bytes of the longest key that a reduced copy keeps: as much as a record may have by Kafka's default.
const KEY: usize = 1 << 20;

/// Such a record, with bytes of its own.
#[derive(Debug)]
pub(crate) struct OpenedRecord {
    partition: i32,
    offset: i64,
    /// In binary mode; as it came if it cannot be read, so that its dead letter has it whole.
    record: Outgoing,
    fault: Option<EnvelopeError>,
    left_out: LeftOut,
}

/// What a copy of a record does not have, because it is too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Headers.
    pub(crate) headers: usize,
    /// Bytes of the value.
    pub(crate) value: usize,
}

impl LeftOut {
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl OpenedRecord {
    /// None for a record that is not in structured mode.
    pub(crate) fn of(record: &dyn RecordView) -> Option<Self> {
        let (opened, fault) = match to_binary_mode(record)? {
            Ok(binary) => (binary, None),
            Err(fault) => {
                let mut copy = Outgoing::new(record.topic().to_owned());
                copy_own(record, &mut copy);
                (copy, Some(fault))
            }
        };
        Some(Self {
            partition: record.partition(),
            offset: record.offset(),
            record: opened,
            fault,
            left_out: LeftOut::default(),
        })
    }

    /// A record that is too large: a copy with few of its headers, if they are too many or cannot be read, or without its
    /// value.
    pub(crate) fn reduced(record: &dyn RecordView, fault: EnvelopeError) -> Self {
        let mut left_out = LeftOut::default();
        let value = match fault {
            EnvelopeError::Record { .. } => {
                left_out.value = record.value().map_or(0, <[u8]>::len);
                // Empty, but no tombstone.
                Some(&b""[..])
            }
            _ => record.value(),
        };
        let mut copy = Outgoing::new(record.topic().to_owned());
        copy.timestamp = record.timestamp();
        if let Some(key) = record.key().filter(|key| key.len() <= KEY) {
            copy.set_key(key);
        }
        if let Some(value) = value {
            copy.set_value(value);
        }
        left_out.headers = copy_reduced(headers(record), &mut copy);
        Self {
            left_out,
            fault: Some(fault),
            ..Self::at(record.partition(), record.offset(), copy)
        }
    }

    /// A record that can be read.
    pub(crate) fn at(partition: i32, offset: i64, record: Outgoing) -> Self {
        Self {
            partition,
            offset,
            record,
            fault: None,
            left_out: LeftOut::default(),
        }
    }

    /// What the copy does not have.
    pub(crate) fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// Why it cannot be read.
    pub(crate) fn fault(&self) -> Option<&EnvelopeError> {
        self.fault.as_ref()
    }

    /// Key, value and headers.
    pub(crate) fn into_parts(self) -> (Outgoing, Option<EnvelopeError>) {
        (self.record, self.fault)
    }
}

impl RecordView for OpenedRecord {
    fn topic(&self) -> &str {
        &self.record.topic
    }

    fn partition(&self) -> i32 {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.offset
    }

    fn timestamp(&self) -> Option<i64> {
        self.record.timestamp
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

impl Record for OpenedRecord {
    fn size(&self) -> usize {
        self.record.footprint()
    }
}
