//! The done ring: every received record of a lane from the watermark on.

use std::collections::VecDeque;

use crate::offset_map::Run;

/// A received record. Sequence numbers count received records; offsets have gaps, they have none.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) offset: i64,
    /// Handlers that have not done it. At 0 the record is done.
    pub(crate) remaining: u16,
    /// Which handlers take it.
    takers: Takers,
    /// Bytes counted against the lane's cap while it is not done.
    pub(crate) bytes: u32,
    /// One bit for each of the lane's handlers; a lane with more handlers than bits keeps the rest in `more`.
    done: u64,
    /// Bits of handlers from the 64th on.
    more: Option<Box<[u64]>>,
}

/// Which of a lane's handlers take a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takers {
    /// No handler of this lane.
    None,
    /// Those of an event type: its index in the topic's plan.
    OfType(u16),
    /// All of them, since its type cannot be read.
    All,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    /// Sequence number of the first entry.
    base: u64,
    /// The offset behind the last received one, and behind those below which nothing comes any more.
    next_offset: i64,
}

impl Entry {
    pub(crate) fn is_done_by(&self, handler: usize) -> bool {
        let word = match handler / 64 {
            0 => self.done,
            word => self
                .more
                .as_ref()
                .and_then(|more| more.get(word - 1))
                .copied()
                .unwrap_or(0),
        };
        word >> (handler % 64) & 1 == 1
    }

    fn set(&mut self, handler: usize) {
        let bit = 1 << (handler % 64);
        match handler / 64 {
            0 => self.done |= bit,
            word => {
                let mut done = self.more.take().map_or_else(Vec::new, Vec::from);
                if done.len() < word {
                    done.resize(word, 0);
                }
                done[word - 1] |= bit;
                self.more = Some(done.into());
            }
        }
    }
}

impl Ring {
    pub(crate) fn starting_at(offset: i64) -> Self {
        Self {
            next_offset: offset,
            ..Self::default()
        }
    }

    /// Notes a received record and answers its sequence number.
    pub(crate) fn receive(&mut self, offset: i64, takers: Takers, bytes: u32) -> u64 {
        self.next_offset = offset + 1;
        self.entries.push_back(Entry {
            offset,
            remaining: 0,
            takers,
            bytes,
            done: 0,
            more: None,
        });
        self.base + self.entries.len() as u64 - 1
    }

    /// Notes a received record that nobody wants.
    pub(crate) fn skip(&mut self, offset: i64) {
        if self.entries.is_empty() {
            self.next_offset = offset + 1;
            self.base += 1;
        } else {
            self.receive(offset, Takers::None, 0);
        }
    }

    /// No record comes any more whose offset is below `offset`.
    pub(crate) fn reach(&mut self, offset: i64) {
        self.next_offset = self.next_offset.max(offset);
    }

    fn get_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let index = seq.checked_sub(self.base)?;
        self.entries.get_mut(usize::try_from(index).ok()?)
    }

    /// Says how many handlers have yet to do the record.
    pub(crate) fn expect(&mut self, seq: u64, handlers: u16) {
        if let Some(entry) = self.get_mut(seq) {
            entry.remaining = handlers;
        }
    }

    /// Marks without counting: the handler needs not do the record.
    pub(crate) fn mark(&mut self, seq: u64, handler: usize) {
        if let Some(entry) = self.get_mut(seq) {
            entry.set(handler);
        }
    }

    /// One handler has done one record. Answers the bytes that are free now if it was the last to do so.
    pub(crate) fn done(&mut self, seq: u64, handler: usize) -> Option<u32> {
        let entry = self.get_mut(seq)?;
        if entry.is_done_by(handler) {
            return None;
        }
        entry.set(handler);
        entry.remaining -= 1;
        (entry.remaining == 0).then_some(entry.bytes)
    }

    /// Lets go of done records at the front; answers whether the watermark moved.
    pub(crate) fn advance(&mut self) -> bool {
        let before = self.base;
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.remaining == 0)
        {
            self.entries.pop_front();
            self.base += 1;
        }
        self.base != before
    }

    /// The first offset that is not done.
    pub(crate) fn watermark(&self) -> i64 {
        self.entries
            .front()
            .map_or(self.next_offset, |entry| entry.offset)
    }

    /// The offset below which no record comes any more.
    pub(crate) fn end(&self) -> i64 {
        self.next_offset
    }

    /// The offset of a record that is above the watermark.
    pub(crate) fn offset(&self, seq: u64) -> Option<i64> {
        let index = seq.checked_sub(self.base)?;
        let entry = self.entries.get(usize::try_from(index).ok()?)?;
        Some(entry.offset)
    }

    /// Whether a handler has done the record at an offset that was received.
    pub(crate) fn has_done(&self, offset: i64, handler: usize) -> bool {
        let found = self
            .entries
            .binary_search_by_key(&offset, |entry| entry.offset);
        found.is_err() || found.is_ok_and(|place| self.entries[place].is_done_by(handler))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What a handler has done above the watermark, as runs of offsets. Only records that it `takes` count: others neither
    /// cut a run nor extend it, so there are at most as many runs as it has open records, and one more.
    pub(crate) fn runs(&self, handler: usize, takes: impl Fn(u16) -> bool) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        // Whether the last record that it takes was done: then offsets between the two join the run.
        let mut joined = false;
        for entry in &self.entries {
            let taken = match entry.takers {
                Takers::None => false,
                Takers::OfType(event) => takes(event),
                Takers::All => true,
            };
            if !taken {
                continue;
            }
            let done = entry.is_done_by(handler);
            match runs.last_mut() {
                Some(run) if done && joined => run.1 = entry.offset + 1,
                _ if done => runs.push((entry.offset, entry.offset + 1)),
                _ => {}
            }
            joined = done;
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    /// A ring grows to twice what it holds. A lane of more than 64 handlers of one topic takes more.
    #[test]
    fn an_offset_takes_no_more_than_the_formula_says() {
        assert!(2 * size_of::<Entry>() <= memory::OFFSET);
    }
}
