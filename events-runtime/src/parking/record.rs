//! A record that was read back from a parked log.

use std::sync::Arc;

use events_core::{EnvelopeError, Outgoing, RecordView};

use crate::opened::LeftOut;
use crate::transport::Record;

/// A record as it was when it was parked, with bytes of its own: it may wait for days, and must not keep the client's
/// buffers alive.
#[derive(Debug)]
pub(crate) struct ParkedRecord {
    /// Where it came from.
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Key, value and its own headers; in binary mode.
    pub(crate) record: Outgoing,
    /// Why its envelope cannot be read: it is in structured mode and was redriven, or it has too many headers.
    pub(crate) fault: Option<EnvelopeError>,
    pub(crate) left_out: LeftOut,
    /// `service/handler`.
    pub(crate) handler: Arc<str>,
    /// Its handler's place in the lane, its type's, and its version; none if this build cannot run it.
    pub(crate) route: Option<ParkedRoute>,
    /// Attempts before it was parked.
    pub(crate) attempts: u32,
    /// When it was first parked, in milliseconds since the Unix epoch.
    pub(crate) since: i64,
    /// The dead letter that it was redriven from.
    pub(crate) redrive: Option<Arc<str>>,
}

/// How a parked record goes to its handler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParkedRoute {
    pub(crate) handler: usize,
    pub(crate) event: u16,
    pub(crate) version: u32,
}

impl RecordView for ParkedRecord {
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

impl Record for ParkedRecord {
    fn size(&self) -> usize {
        self.record.footprint()
    }
}
