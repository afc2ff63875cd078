//! What of a partition is received and not acknowledged.

use std::collections::VecDeque;

/// Received records of one partition, from the first that is not done.
#[derive(Default)]
pub(super) struct Pending {
    base: u64,
    /// Offset, and whether it is done.
    ring: VecDeque<(i64, bool)>,
}

impl Pending {
    /// A record was received. Answers its number in the partition.
    pub(super) fn receive(&mut self, offset: i64) -> u64 {
        self.ring.push_back((offset, false));
        self.base + self.ring.len() as u64 - 1
    }

    /// A record is done. Answers the offset behind the last of those that are done from the front, if that moved.
    pub(super) fn done(&mut self, number: u64) -> Option<i64> {
        self.ring[(number - self.base) as usize].1 = true;
        let mut next = None;
        while let Some((offset, true)) = self.ring.front() {
            next = Some(offset + 1);
            self.ring.pop_front();
            self.base += 1;
        }
        next
    }
}
