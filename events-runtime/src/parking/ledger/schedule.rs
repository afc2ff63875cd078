//! Which record of a parked key is next, and when.

use super::{Ledger, Pair};

impl<T> Ledger<T> {
    /// When the next head is due, in milliseconds since the Unix epoch.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.schedule.first().map(|(due, _)| *due)
    }

    /// A head that is due at `now`; it is under way from here on. One that `waits`, by its pair and its place, is passed over.
    pub(crate) fn take_due(
        &mut self,
        now: i64,
        mut waits: impl FnMut(Pair, i64) -> bool,
    ) -> Option<i64> {
        let due = self.schedule.iter().take_while(|(due, _)| *due <= now);
        let heads = due.filter_map(|(_, pair)| {
            let (place, head) = self.lines.get(pair)?.open.front()?;
            (!waits(*pair, *place)).then_some((*head, *pair))
        });
        let (head, pair) = { heads }.next()?;
        self.start(head, pair);
        Some(head)
    }

    /// A record that somebody outside gave an order about; it is under way from here on.
    pub(crate) fn take_order(&mut self) -> Option<i64> {
        let at = self.orders.pop_first()?;
        let pair = self.open.get(&at)?.pair;
        self.start(at, pair);
        Some(at)
    }

    fn start(&mut self, at: i64, pair: Pair) {
        if let Some(open) = self.open.get_mut(&at) {
            self.running += usize::from(!std::mem::replace(&mut open.running, true));
        }
        self.reschedule(pair);
    }

    /// Puts the pair's head at its place in the schedule, and lets go of a pair without records.
    pub(super) fn reschedule(&mut self, pair: Pair) {
        let Some(line) = self.lines.get_mut(&pair) else {
            return;
        };
        let head = line.open.front().and_then(|(_, head)| self.open.get(head));
        let waits = head.filter(|head| head.runnable && !head.running && head.order.is_none());
        let due = waits.map(|head| head.next);
        if due == line.scheduled && due.is_some() {
            return;
        }
        if let Some(before) = line.scheduled.take() {
            self.schedule.remove(&(before, pair));
        }
        if let Some(due) = due {
            line.scheduled = Some(due);
            self.schedule.insert((due, pair));
        }
        if line.open.is_empty() {
            self.lines.remove(&pair);
        }
    }
}
