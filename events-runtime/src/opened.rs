//! A record that came in CloudEvents structured mode, as everything behind the routing sees it: in binary mode.

use events_core::{EnvelopeError, Outgoing, RecordView, to_binary_mode};

use crate::header_bounds::copy_reduced;
use crate::parking::fact::{copy_own, headers};
use crate::transport::Record;

/// Such a record, with bytes of its own.
#[derive(Debug)]
pub(crate) struct OpenedRecord {
    partition: i32,
    offset: i64,
    /// In binary mode; as it came if it cannot be read, so that its dead letter has it whole.
    record: Outgoing,
    fault: Option<EnvelopeError>,
    /// Headers that the copy does not have, because there are too many.
    left_out: usize,
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
            left_out: 0,
        })
    }

    /// A record whose headers are too many, or cannot be read: a copy with few of them.
    pub(crate) fn reduced(record: &dyn RecordView, fault: EnvelopeError) -> Self {
        let mut copy = Outgoing::new(record.topic().to_owned());
        copy.timestamp = record.timestamp();
        if let Some(key) = record.key() {
            copy.set_key(key);
        }
        if let Some(value) = record.value() {
            copy.set_value(value);
        }
        let left_out = copy_reduced(headers(record), &mut copy);
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
            left_out: 0,
        }
    }

    /// Headers that the copy does not have.
    pub(crate) fn left_out(&self) -> usize {
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
