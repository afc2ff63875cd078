//! One record on its way through one handler's slot.

use std::ops::Deref;
use std::sync::Arc;

use events_core::{Outgoing, RecordView};

use crate::parking::record::ParkedRecord;
use crate::transport::Record;

/// A record that one handler or several hold.
#[derive(Debug)]
pub(crate) enum RecordRef<R> {
    Own(R),
    Shared(Arc<R>),
    /// Read back from the parked log.
    Parked(Arc<ParkedRecord>),
}

impl<R: Record> RecordRef<R> {
    /// Lets the client forget parsed headers, if nobody else holds the record.
    pub(crate) fn forget_headers(&mut self) {
        if let Self::Own(record) = self {
            record.forget_headers();
        }
    }

    pub(crate) fn parked(&self) -> Option<&Arc<ParkedRecord>> {
        match self {
            Self::Parked(record) => Some(record),
            _ => None,
        }
    }
}

impl<R: Record> Deref for RecordRef<R> {
    type Target = dyn RecordView;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Own(record) => record,
            Self::Shared(record) => &**record,
            Self::Parked(record) => &**record,
        }
    }
}

/// What a slot works on.
#[derive(Debug)]
pub(crate) struct Work<R> {
    pub(crate) record: RecordRef<R>,
    /// Its place in the ring; of a parked record its offset in the parked log.
    pub(crate) seq: u64,
    /// Hash of the key; of the sequence number where there is no key. Two keys with one hash are merely kept in order.
    pub(crate) key: u64,
    pub(crate) version: u32,
    /// The attempt to be made next; the first is 1. Above 1 the record is the head of a held key, or parked.
    pub(crate) attempt: u32,
    /// Index into the topic's types.
    pub(crate) event: u16,
}

/// What an attempt leaves to be published before its record is done.
#[derive(Debug)]
pub(crate) struct Published<R> {
    /// Kept until the acknowledgement: a refusal that cannot heal is dead-lettered together with it.
    pub(crate) work: Work<R>,
    pub(crate) records: Vec<Arc<Outgoing>>,
    pub(crate) kind: Kind,
}

/// Why records are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Emissions,
    DeadLetter,
    /// A record on its way into the parked log: acknowledged, it is done for its handler.
    Append,
    /// Another fact of the parked log, or a word about a dead letter. No record waits for it.
    Fact,
}
