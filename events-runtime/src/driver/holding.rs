//! What a slot does while its handler holds.

use std::task::Context;
use std::time::Duration;

use events_core::Error;

use super::Driver;
use crate::transport::Record;
use crate::work::Work;

impl<R: Record> Driver<R> {
    /// The next record to try while the handler holds, if it is this slot's turn: the first of a key that has not failed
    /// yet, else of the key that failed longest ago.
    pub(super) fn next_probe(&mut self, cx: &mut Context<'_>) -> Option<Work<R>> {
        loop {
            self.exchange();
            while let Some(work) = self.inbox.pop_front() {
                if self.parks_behind(&work) {
                    self.park_behind(work);
                    continue;
                }
                match self.held.take_behind(work) {
                    Some(work) => {
                        self.inbox.push_front(work);
                        break;
                    }
                    None => self.lane.add_held(1),
                }
            }
            // What is parked behind its key does not wait for the handler to go on.
            if self.published.is_empty() {
                break;
            }
        }
        if self.inbox.is_empty() && !self.held.has_heads() {
            self.hold.pass(self.slot);
            return None;
        }
        if !self.hold.may_probe(self.slot, cx) {
            return None;
        }
        self.inbox.pop_front().or_else(|| self.held.take_oldest())
    }

    /// The attempt failed, and its record is not to blame: it waits in front of its key.
    pub(super) fn put_back(&mut self, work: Work<R>, error: &Error) {
        let made = work.attempt.saturating_sub(1);
        self.lane
            .trouble(&self.handler, work.key, made, &*work.record, error);
        if self.held.hold(work, Duration::ZERO) {
            self.lane.add_held(1);
        }
    }
}
