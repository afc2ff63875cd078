//! A record that came in CloudEvents structured mode, as everything behind the routing sees it: in binary mode.

use events_core::{EnvelopeError, Outgoing, RecordView, to_binary_mode};

use crate::parking::fact::copy_own;
use crate::transport::Record;

/// Such a record, with bytes of its own.
#[derive(Debug)]
pub(crate) struct OpenedRecord {
    partition: i32,
    offset: i64,
    /// In binary mode; as it came if it cannot be read, so that its dead letter has it whole.
    record: Outgoing,
    fault: Option<EnvelopeError>,
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
        })
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
        self.record.headers().nth(index)
    }
}

impl Record for OpenedRecord {
    fn size(&self) -> usize {
        self.record.size()
    }
}
