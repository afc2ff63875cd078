//! What a ledger answers.

use super::bounds::FINISHED;
use super::{Identity, Ledger, Open, Pair, Standing};

/// What stands in the log of a record that its source brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    None,
    /// It was parked before.
    Same,
    /// Another record was parked from its offset.
    Another,
}

impl<T> Ledger<T> {
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Behind the last fact that was read.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Behind the highest offset in the source of what stood in the log when the lane took it over.
    pub(crate) fn rebuilt_end(&self) -> i64 {
        self.rebuilt_end
    }

    /// Open records.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Finished records that may come again.
    pub(crate) fn remembered(&self) -> usize {
        self.finished.len()
    }

    /// Bytes of the open records, and of what is remembered of finished ones.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.finished.len() * FINISHED
    }

    /// Records that are with a slot, or on their way to `done`.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Pairs with as many open records as one may have.
    pub(crate) fn crowded(&self) -> impl Iterator<Item = Pair> {
        self.crowded.iter().copied()
    }

    /// Open records of a pair.
    pub(crate) fn open_of(&self, pair: Pair) -> usize {
        self.lines.get(&pair).map_or(0, |line| line.open.len())
    }

    /// Pairs with open records.
    pub(crate) fn pairs(&self) -> usize {
        self.lines.len()
    }

    /// The open records, oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = (i64, &Open<T>)> {
        self.open.iter().map(|(offset, open)| (*offset, open))
    }

    pub(crate) fn get(&self, at: i64) -> Option<&Open<T>> {
        self.open.get(&at)
    }

    /// The first record of each pair that has any, in no order.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &Open<T>> {
        let heads = self.lines.values().filter_map(|line| line.open.front());
        heads.filter_map(|(_, head)| self.open.get(head))
    }

    /// Where the record stands that was redriven from that dead letter.
    pub(crate) fn redriven_at(&self, id: &str) -> Option<i64> {
        self.copies.get(&Identity::Redrive(id.into())).copied()
    }

    /// Whether the pair has an open record.
    pub(crate) fn has_open(&self, pair: Pair) -> bool {
        self.lines.contains_key(&pair)
    }

    /// Whether the record at `at` is the next of its pair.
    pub(crate) fn is_head(&self, at: i64) -> bool {
        self.open
            .get(&at)
            .and_then(|open| self.lines.get(&open.pair))
            .is_some_and(|line| line.open.front().is_some_and(|head| head.1 == at))
    }

    /// Whether a handler has parked the record with that offset and `print` before this lane began, so that it is done
    /// with it.
    pub(crate) fn copy(&self, handler: u32, origin: i64, print: impl FnOnce() -> u64) -> Copy {
        if origin >= self.rebuilt_end {
            return Copy::None;
        }
        let any = |print| Identity::Origin(handler, origin, print);
        let mut known = self.copies.range(any(u64::MIN)..=any(u64::MAX)).peekable();
        if known.peek().is_none() {
            return Copy::None;
        }
        let wanted = any(print());
        match known.any(|(identity, _)| *identity == wanted) {
            true => Copy::Same,
            false => Copy::Another,
        }
    }

    /// The open record that was parked from that offset.
    pub(crate) fn open_copy(&self, handler: u32, origin: i64, print: u64) -> Option<&Open<T>> {
        let copy = self.copies.get(&Identity::Origin(handler, origin, print))?;
        self.open.get(copy)
    }
}
