//! Which record's attempt begins next, and whether it may.

use std::task::Context;

use super::Driver;
use crate::transport::Record;
use crate::work::Work;

impl<R: Record> Driver<R> {
    /// The next record whose attempt may begin. At the member's bound none may until a commit is acknowledged, however many
    /// the slot has (D3).
    pub(super) fn next_to_begin(&mut self, cx: &mut Context<'_>) -> Option<Work<R>> {
        let may_begin = self.cell.may_begin();
        let work = match may_begin {
            true => self.next_readable(cx),
            false => {
                self.exchange();
                None
            }
        };
        if work.is_some() {
            self.cell.begin();
            return work;
        }
        let empty = self.inbox.is_empty() && self.held.is_empty();
        self.cell.set_empty(empty);
        if !may_begin && !empty {
            self.cell.wait_to_begin(cx.waker());
        }
        None
    }
}
