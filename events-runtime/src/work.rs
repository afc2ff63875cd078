//! One record on its way through one handler's slot.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use events_core::{EnvelopeError, Outgoing, RecordView};

use crate::cause::EmitBuffers;
use crate::opened::{LeftOut, OpenedRecord};
use crate::parking::record::ParkedRecord;
use crate::transport::Record;

/// A record that one handler or several hold.
#[derive(Debug)]
pub(crate) enum RecordRef<R> {
    Own(R),
    /// It goes to several handlers.
    Shared(Arc<SharedRecord<R>>),
    /// It came in structured mode.
    Opened(Arc<OpenedRecord>),
    /// Read back from the parked log.
    Parked(Arc<ParkedRecord>),
    /// With bytes of its own.
    Copied(Arc<CopiedRecord>),
}

/// A record that several handlers hold. However many of them let it wait, there is one copy of it: the lane counts its bytes
/// once.
#[derive(Debug)]
pub(crate) struct SharedRecord<R> {
    pub(crate) record: R,
    copy: OnceLock<Arc<CopiedRecord>>,
}

impl<R> SharedRecord<R> {
    pub(crate) fn new(record: R) -> Self {
        let copy = OnceLock::new();
        Self { record, copy }
    }
}

impl<R> From<Arc<SharedRecord<R>>> for RecordRef<R> {
    fn from(record: Arc<SharedRecord<R>>) -> Self {
        Self::Shared(record)
    }
}

impl<R> From<Arc<OpenedRecord>> for RecordRef<R> {
    fn from(record: Arc<OpenedRecord>) -> Self {
        Self::Opened(record)
    }
}

/// A record that waits, in its slot or for an acknowledgement: a client's record may keep alive all that was fetched together
/// with it, megabytes for each.
#[derive(Debug)]
pub(crate) struct CopiedRecord {
    partition: i32,
    offset: i64,
    record: Outgoing,
}

impl<R: Record> RecordRef<R> {
    /// Lets the client forget parsed headers, if nobody else holds the record.
    pub(crate) fn forget_headers(&mut self) {
        if let Self::Own(record) = self {
            record.forget_headers();
        }
    }

    /// Why its envelope cannot be read: then no handler sees it.
    pub(crate) fn fault(&self) -> Option<&EnvelopeError> {
        match self {
            Self::Own(_) | Self::Shared(_) | Self::Copied(_) => None,
            Self::Opened(record) => record.fault(),
            Self::Parked(record) => record.fault.as_ref(),
        }
    }

    /// What this copy of the record does not have, because it is too much.
    pub(crate) fn left_out(&self) -> LeftOut {
        match self {
            Self::Opened(record) => record.left_out(),
            Self::Parked(record) => record.left_out,
            _ => LeftOut::default(),
        }
    }

    /// Gives the client's memory back, if nobody else holds the record.
    pub(crate) fn detach(&mut self) {
        let copy = match self {
            Self::Own(record) => Arc::new(CopiedRecord::of(record)),
            Self::Shared(shared) => {
                let copy = || Arc::new(CopiedRecord::of(&shared.record));
                Arc::clone(shared.copy.get_or_init(copy))
            }
            Self::Opened(_) | Self::Parked(_) | Self::Copied(_) => return,
        };
        *self = Self::Copied(copy);
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
            Self::Shared(shared) => &shared.record,
            Self::Opened(record) => &**record,
            Self::Parked(record) => &**record,
            Self::Copied(record) => &**record,
        }
    }
}

impl CopiedRecord {
    fn of(record: &impl Record) -> Self {
        let topic = record.topic().to_owned();
        let mut copy = Outgoing::with_capacity(topic, record.size(), 0);
        copy.timestamp = record.timestamp();
        if let Some(key) = record.key() {
            copy.set_key(key);
        }
        if let Some(value) = record.value() {
            copy.set_value(value);
        }
        for (name, value) in (0..).map_while(|index| record.header(index)) {
            copy.add_raw_header(name, value);
        }
        Self {
            partition: record.partition(),
            offset: record.offset(),
            record: copy,
        }
    }
}

impl RecordView for CopiedRecord {
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
    /// The key that its slot was chosen by.
    pub(crate) lined_up: u64,
    /// For what it causes; none where headers are read again for that.
    pub(crate) buffers: Option<Box<EmitBuffers>>,
}

/// A record that a slot is through with, and that leaves nothing to be published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// Its place in the ring.
    pub(crate) seq: u64,
    /// The key that its slot was chosen by.
    pub(crate) lined_up: u64,
}

/// What an attempt leaves to be published before its record is done.
#[derive(Debug)]
pub(crate) struct Published<R> {
    /// Kept until the acknowledgement: a refusal that cannot heal is dead-lettered together with it.
    pub(crate) work: Work<R>,
    pub(crate) records: Records,
    pub(crate) kind: Kind,
    /// The record was given up, or cannot be read by this build: it does not make a duplicate of another one.
    pub(crate) given_up: bool,
}

/// Records to be published, in their order. One, by far the commonest case, needs no list.
#[derive(Debug, Default)]
pub(crate) struct Records {
    first: Option<Arc<Outgoing>>,
    others: Vec<Arc<Outgoing>>,
}

impl Records {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self {
            first: None,
            others: Vec::with_capacity(count.saturating_sub(1)),
        }
    }

    pub(crate) fn push(&mut self, record: Arc<Outgoing>) {
        match self.first {
            None => self.first = Some(record),
            Some(_) => self.others.push(record),
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl From<Outgoing> for Records {
    fn from(record: Outgoing) -> Self {
        Self {
            first: Some(Arc::new(record)),
            others: Vec::new(),
        }
    }
}

impl FromIterator<Arc<Outgoing>> for Records {
    fn from_iter<T: IntoIterator<Item = Arc<Outgoing>>>(records: T) -> Self {
        let mut records = records.into_iter();
        Self {
            first: records.next(),
            others: records.collect(),
        }
    }
}

impl IntoIterator for Records {
    type Item = Arc<Outgoing>;
    type IntoIter =
        std::iter::Chain<std::option::IntoIter<Arc<Outgoing>>, std::vec::IntoIter<Arc<Outgoing>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.others)
    }
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// A walk that searches each header from the first one takes 1,600,000,000 steps.
    #[test]
    fn a_copy_finds_each_header_in_constant_time() {
        const HEADERS: usize = 40_000;
        let mut record = Outgoing::new("orders");
        for _ in 0..HEADERS {
            record.add_header("", "");
        }
        let opened = OpenedRecord::at(0, 7, record);
        let copy = CopiedRecord::of(&opened);
        let begun = Instant::now();
        for record in [&opened as &dyn RecordView, &copy] {
            let headers = (0..).map_while(|index| record.header(index));
            assert_eq!(headers.count(), HEADERS);
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
