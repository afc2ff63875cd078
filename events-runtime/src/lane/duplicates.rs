//! Telling duplicates apart: for each handler by source and id, within the lane's window (D3 b).

use crate::dedupe::Identity;
use crate::lane::Lane;
use crate::lane::followers::Verdict;
use crate::transport::Queue;
use crate::work::Work;

/// What an identity that the window knows says of a record, for one handler.
pub(super) enum Bearing {
    /// It is the first to bear it.
    First,
    /// A duplicate of a record that is done.
    Done,
    /// A duplicate of the record at this offset, which is not.
    Waits(i64),
}

/// Records that ended, to be looked at once the slots are no longer borrowed.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Offset and handler.
    pub(super) done: Vec<(i64, usize)>,
    /// Handler, offset and identity.
    pub(super) given_up: Vec<(usize, i64, Option<Identity>)>,
}

impl Ended {
    pub(super) fn is_any(&self) -> bool {
        !self.done.is_empty() || !self.given_up.is_empty()
    }
}

impl<Q: Queue> Lane<Q> {
    /// Whether a record at `offset`, whose identity the window knew before, is a duplicate for the handler.
    #[cold]
    pub(super) fn bearing(&mut self, identity: Identity, offset: i64, handler: usize) -> Bearing {
        let topic = &self.context.topic;
        let takes = |event: u16| {
            let takers = &topic.types[usize::from(event)].handlers;
            takers.contains(&(handler as u16))
        };
        match self.window.first_bearer(identity, handler as u16, takes) {
            None => {
                let window = &mut self.window;
                window.set_bearer(identity, handler as u16, Some(offset));
                Bearing::First
            }
            Some(first) if self.ring.has_done(first, handler) => Bearing::Done,
            Some(first) => Bearing::Waits(first),
        }
    }

    /// A record that was done before this assignment: whether it was handled or given up is not known, so it makes no
    /// duplicate of another one.
    #[cold]
    pub(super) fn forget_bearer(&mut self, identity: Identity, handler: usize) {
        self.window.set_bearer(identity, handler as u16, None);
    }

    /// Stages a record, unless it waits as a duplicate of the one at `first`, or behind one that does.
    pub(super) fn stage(&mut self, handler: usize, work: Work<Q::Record>, first: Option<i64>) {
        if first.is_none() && self.followers.is_empty() {
            return self.slots.stage(handler, work);
        }
        if let Some(work) = self.followers.take(handler, work, first) {
            self.slots.stage(handler, work);
        }
    }

    /// Lets duplicates go whose first bearers have ended. A bearer that was given up is forgotten.
    pub(super) fn release_followers(&mut self) {
        let mut ended = std::mem::take(&mut self.ended);
        for (handler, offset, identity) in ended.given_up.drain(..) {
            let released = self.followers.release(offset, handler, true);
            if let Some(identity) = identity {
                let first = self.window.first_bearer(identity, handler as u16, |_| true);
                if first == Some(offset) {
                    let window = &mut self.window;
                    window.set_bearer(identity, handler as u16, released.bearer);
                }
            }
            self.let_go(handler, released.records);
        }
        for (offset, handler) in ended.done.drain(..) {
            let released = self.followers.release(offset, handler, false);
            self.let_go(handler, released.records);
        }
        // Its memory is used again.
        ended.done.append(&mut self.ended.done);
        ended.given_up.append(&mut self.ended.given_up);
        self.ended = ended;
    }

    fn let_go(&mut self, handler: usize, records: Vec<(Work<Q::Record>, Verdict)>) {
        for (work, verdict) in records {
            match verdict {
                Verdict::Done => {
                    let meters = &self.context.topic.handlers[handler].meters;
                    meters.duplicates.add(1);
                    self.count_done(work.seq, handler);
                }
                // A lane that drains clears what is staged.
                Verdict::Handle => self.slots.stage(handler, work),
            }
        }
    }

    /// A handler has done a record that counted as open.
    pub(super) fn count_done(&mut self, seq: u64, handler: usize) {
        self.done_uncounted += 1;
        self.open[handler] -= 1;
        if let Some(freed) = self.ring.done(seq, handler) {
            self.in_flight -= 1;
            self.bytes -= freed as usize;
        }
    }
}
