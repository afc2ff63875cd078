//! One record on its way through one handler's slot.

use std::ops::Deref;
use std::sync::Arc;

use events_core::Outgoing;

use crate::transport::Record;

/// A record that one handler or several hold.
#[derive(Debug)]
pub(crate) enum RecordRef<R> {
    Own(R),
    Shared(Arc<R>),
}

impl<R: Record> RecordRef<R> {
    /// Lets the client forget parsed headers, if nobody else holds the record.
    pub(crate) fn forget_headers(&mut self) {
        if let Self::Own(record) = self {
            record.forget_headers();
        }
    }
}

impl<R> Deref for RecordRef<R> {
    type Target = R;
    fn deref(&self) -> &R {
        match self {
            Self::Own(record) => record,
            Self::Shared(record) => record,
        }
    }
}

/// What a slot works on.
#[derive(Debug)]
pub(crate) struct Work<R> {
    pub(crate) record: RecordRef<R>,
    pub(crate) seq: u64,
    /// Hash of the key; of the sequence number where there is no key. Two keys with one hash are merely kept in order.
    pub(crate) key: u64,
    pub(crate) version: u32,
    /// The attempt to be made next; the first is 1. Above 1 the record is the head of a held key.
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
}
