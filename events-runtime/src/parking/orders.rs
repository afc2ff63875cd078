//! What a lane does about parked records because somebody outside asked for it.

use events_core::Error;

use crate::dead_letter::letters;
use crate::lane::context::key_text;
use crate::outbox::Outbox;
use crate::parking::ledger::Order;
use crate::parking::lot::{Lot, work};
use crate::transport::Queue;
use crate::work::{Kind, Published, Work};

impl<Q: Queue> Lot<Q> {
    /// Does what somebody outside wants of the record at `at`.
    pub(super) fn obey(&mut self, at: i64, outbox: &mut Outbox<Q::Record>) {
        let Some(open) = self.ledger.get(at) else {
            return;
        };
        let partition = &self.lane.partition;
        let (handler, key) = (&open.payload.handler, key_text(&*open.payload));
        match open.order.clone() {
            Some(Order::Skip(by)) => {
                let Some(work) = work(at, open.attempts, open.pair, &open.payload) else {
                    tracing::warn!(
                        %partition, %handler, key, at, by,
                        "a parked record is not skipped, though somebody asked for it: no handler of this build runs it; `parked discard` throws it away"
                    );
                    self.ledger.refuse(at);
                    return;
                };
                tracing::info!(%partition, %handler, key, at, by, "a parked record is skipped, since somebody asked for it");
                let text = open.error.clone();
                let error = Error::msg(text.unwrap_or_else(|| "it was not tried".to_owned()))
                    .context(format!("skipped by {by}"));
                self.letter(work, &error, outbox);
            }
            Some(Order::Discard(by)) => {
                tracing::info!(%partition, %handler, key, at, by, "a parked record is discarded, since somebody asked for it");
                let reason = format!("discarded by {by}");
                self.ended(at, Some(&reason), outbox);
            }
            None => self.ledger.rest(at),
        }
    }

    fn letter(
        &self,
        (handler, mut work): (usize, Work<Q::Record>),
        error: &Error,
        outbox: &mut Outbox<Q::Record>,
    ) {
        // No attempt is made.
        work.attempt -= 1;
        let plan = &self.lane.topic.handlers[handler];
        plan.meters.dead_lettered.add(1);
        let records = letters(&self.lane, plan, &work, error, &[]);
        outbox.accept(
            handler,
            Published {
                work,
                records: records.into_iter().collect(),
                kind: Kind::DeadLetter,
                given_up: true,
            },
        );
    }
}
