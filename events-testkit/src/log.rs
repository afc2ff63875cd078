//! The log of one partition.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::task::Waker;

use events_core::Outgoing;

use crate::received::Received;

/// Records in order of their offsets; offsets may have gaps.
#[derive(Debug, Default)]
pub(crate) struct Log {
    start: i64,
    next: i64,
    records: VecDeque<Received>,
    /// Readers that have seen all there is.
    readers: Vec<Waker>,
    /// Why it cannot be read.
    fault: Option<String>,
}

impl Log {
    pub(crate) fn append(
        &mut self,
        topic: &Arc<str>,
        partition: i32,
        timestamp: i64,
        record: Arc<Outgoing>,
    ) -> i64 {
        let offset = self.next;
        self.next += 1;
        let topic = Arc::clone(topic);
        self.records.push_back(Received {
            topic,
            partition,
            offset,
            timestamp,
            record,
        });
        offset
    }

    /// The newest record.
    pub(crate) fn last(&self) -> Option<&Received> {
        self.records.back()
    }

    /// Offsets that can be read.
    pub(crate) fn offsets(&self) -> Range<i64> {
        self.start..self.next
    }

    /// Records from `from` on, at most `max`. Answers the offset to go on at.
    pub(crate) fn read(&self, from: i64, max: usize, into: &mut Vec<Received>) -> i64 {
        let first = self.records.partition_point(|record| record.offset < from);
        let before = into.len();
        into.extend(self.records.iter().skip(first).take(max).cloned());
        if into.len() > before {
            into.last().map_or(from, |last| last.offset + 1)
        } else {
            from
        }
    }

    /// The first record at or after a time; the end if there is none.
    pub(crate) fn at_time(&self, timestamp: i64) -> i64 {
        let found = self
            .records
            .iter()
            .find(|record| record.timestamp >= timestamp);
        found.map_or(self.next, |record| record.offset)
    }

    /// Forgets what lies below `before`, as retention does.
    pub(crate) fn truncate(&mut self, before: i64) {
        self.start = before.clamp(self.start, self.next);
        while self
            .records
            .front()
            .is_some_and(|record| record.offset < self.start)
        {
            self.records.pop_front();
        }
    }

    /// Leaves offsets out, as compaction and transaction markers do.
    pub(crate) fn skip(&mut self, offsets: i64) {
        self.next += offsets;
    }

    pub(crate) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(crate) fn set_fault(&mut self, fault: Option<String>) {
        self.fault = fault;
    }

    pub(crate) fn wait(&mut self, reader: &Waker) {
        if !self.readers.iter().any(|known| known.will_wake(reader)) {
            self.readers.push(reader.clone());
        }
    }

    /// The readers to be woken, once no lock is held.
    pub(crate) fn take_readers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.readers)
    }
}
