//! What becomes of a record once its attempt is over.

use std::sync::Arc;

use events_core::{Class, Emissions, Error};

use crate::dead_letter::letters;
use crate::driver::Driver;
use crate::emit;
use crate::held::jittered;
use crate::transport::Record;
use crate::work::{Kind, Published, Work};

impl<R: Record> Driver<R> {
    pub(super) fn succeed(&mut self, mut work: Work<R>, emissions: &Emissions) {
        self.hold.succeeded();
        self.release(&work);
        if emissions.is_empty() {
            self.done.push(work.seq);
            return;
        }
        match emit::records(
            &self.lane,
            &self.handler,
            &*work.record,
            emissions,
            &mut self.scratch,
        ) {
            Ok(records) => {
                // The record is kept until the acknowledgement, for a dead letter; its parsed headers need not be.
                work.record.forget_headers();
                self.handler.meters.emitted.add(records.len() as u64);
                let kind = Kind::Emissions;
                self.published.push(Published {
                    work,
                    records,
                    kind,
                });
            }
            Err(refusal) => {
                let error = Error::msg(refusal.reason);
                self.dead_letter(work, &error, &refusal.refused);
            }
        }
    }

    pub(super) fn fail(&mut self, work: Work<R>, error: Error) {
        let class = self.lane.group.class_of(&error);
        let error = self.lane.group.told(error, class);
        if !self.hold.failed(self.slot, work.key, class) {
            return self.put_back(work, &error);
        }
        if class == Class::Terminal || work.attempt >= self.handler.retry.attempts {
            tracing::error!(
                handler = %self.handler.stable_name, partition = %self.lane.partition, offset = work.record.offset(),
                attempts = work.attempt, error = format!("{error:#}"), "giving a record up: it goes to the dead letters"
            );
            self.release(&work);
            self.dead_letter(work, &error, &[]);
            return;
        }
        let wait = jittered(self.handler.retry.ceiling(work.attempt));
        tracing::info!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset = work.record.offset(),
            attempt = work.attempt, wait_ms = wait.as_millis() as u64, error = format!("{error:#}"),
            "an attempt failed; its key waits"
        );
        self.handler.meters.retried.add(1);
        self.lane
            .trouble(&self.handler, work.key, work.attempt, &*work.record, &error);
        let next = Work {
            attempt: work.attempt + 1,
            ..work
        };
        if self.held.hold(next, wait) {
            self.lane.add_held(1);
        }
    }

    /// Lets the records behind a held key go on, in their order and before any that came later.
    fn release(&mut self, work: &Work<R>) {
        let behind = self.held.release(work.key);
        // A first attempt may be the head of a held key: what fails while the handler holds does not count.
        if work.attempt == 1 && behind.is_none() {
            return;
        }
        if let Some(behind) = behind {
            self.lane.remove_held(1 + behind.len());
            for work in behind.into_iter().rev() {
                self.inbox.push_front(work);
            }
        }
        self.lane.no_trouble(&self.handler, work.key);
    }

    fn dead_letter(
        &mut self,
        work: Work<R>,
        error: &Error,
        refused: &[Arc<events_core::Outgoing>],
    ) {
        self.handler.meters.dead_lettered.add(1);
        let records = letters(&self.lane, &self.handler, &work, error, refused);
        self.published.push(Published {
            work,
            records,
            kind: Kind::DeadLetter,
        });
    }
}
