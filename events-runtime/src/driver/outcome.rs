//! What becomes of a record once its attempt is over.

use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use events_core::{Class, DecodeError, Emissions, Error, Exhausted};

use crate::dead_letter::letters;
use crate::driver::Driver;
use crate::driver::failure::{Failure, Hope};
use crate::driver::park::jitter;
use crate::emit::{self, Withheld};
use crate::header_bounds::HeaderSize;
use crate::opened::OpenedRecord;
use crate::routing;
use crate::transport::Record;
use crate::work::{Done, Kind, Published, RecordRef, Records, Work};

impl<R: Record> Driver<R> {
    pub(super) fn succeed(&mut self, mut work: Work<R>, emissions: &Emissions) {
        let records = match emissions.is_empty() {
            true => Ok(Records::default()),
            false => emit::records(
                &self.lane,
                &self.handler,
                &*work.record,
                work.buffers.as_deref_mut(),
                emissions,
                &mut self.scratch,
            ),
        };
        let records = match records {
            Ok(records) => Ok(records),
            Err(Withheld::Refused(refusal)) => Err(refusal),
            Err(Withheld::Failed(error)) => {
                let failure = self.failure(error);
                return self.fail(work, failure);
            }
        };
        self.hold.succeeded();
        self.release(&work);
        let event = self.lane.topic.types[usize::from(work.event)].event;
        if work.version > event.version && self.handler.meters.read_later(work.version) {
            // Once for each version, not for each record.
            tracing::warn!(
                handler = %self.handler.stable_name, event = event.name, known = event.version, found = work.version,
                "records of a later version are read as the one that is known; build this service with the later one"
            );
        }
        if emissions.is_empty() {
            if work.record.parked().is_none() {
                let Work { seq, lined_up, .. } = work;
                self.done.push(Done { seq, lined_up });
                return;
            }
            // The lot says in the parked log that it is done.
            self.published.push(Published {
                work,
                records: Records::default(),
                kind: Kind::Emissions,
                given_up: false,
            });
            return;
        }
        match records {
            Ok(records) => {
                // The record is kept until the acknowledgement, for a dead letter; its parsed headers need not be.
                work.record.forget_headers();
                self.handler.meters.emitted.add(records.len() as u64);
                let kind = Kind::Emissions;
                self.published.push(Published {
                    work,
                    records,
                    kind,
                    given_up: false,
                });
            }
            Err(refusal) => {
                let error = Error::msg(refusal.reason);
                // It was handled: a duplicate of it is one.
                self.dead_letter(work, &error, &refusal.refused, false);
            }
        }
    }

    /// The next record to attempt. One whose envelope cannot be read is given up before any code of users sees it.
    pub(super) fn next_readable(&mut self, cx: &mut Context<'_>) -> Option<Work<R>> {
        loop {
            let work = self.next_work(cx)?;
            let Some(fault) = work.record.fault() else {
                return Some(work);
            };
            let failure = self.failure(Error::new(DecodeError::from(fault.clone())));
            self.fail(work, failure);
        }
    }

    /// Where headers are not read, a record in structured mode, and one of another version, is found out here: because it is no
    /// payload. It is tried again as what it is.
    fn open(&mut self, mut work: Work<R>, failure: &Failure) -> Option<Work<R>> {
        if self.lane.topic.reads_headers {
            return Some(work);
        }
        if let Some(reduced) = self.refused(&work) {
            return self.again(work, reduced);
        }
        if matches!(work.record, RecordRef::Opened(_) | RecordRef::Parked(_)) || !failure.undecoded
        {
            return Some(work);
        }
        if let Some(opened) = OpenedRecord::of(&*work.record) {
            return self.again(work, opened);
        }
        let found = routing::version(&*work.record);
        if found == work.version {
            return Some(work);
        }
        work.version = found;
        self.retry_unread(work)
    }

    /// A copy with few headers of a record that has too many. Where the lane has not read the headers, the first to read
    /// them finds that out.
    fn refused(&self, work: &Work<R>) -> Option<OpenedRecord> {
        let headers = HeaderSize::of(&*work.record);
        let settings = &self.lane.group.settings;
        let fault = match &work.record {
            RecordRef::Own(record) => routing::headers_fault(headers, settings, record),
            RecordRef::Shared(shared) => routing::headers_fault(headers, settings, &shared.record),
            RecordRef::Copied(_) => headers.fault(settings),
            RecordRef::Opened(_) | RecordRef::Parked(_) => None,
        };
        Some(OpenedRecord::reduced(&*work.record, fault?))
    }

    fn again(&mut self, mut work: Work<R>, opened: OpenedRecord) -> Option<Work<R>> {
        work.record = RecordRef::Opened(Arc::new(opened));
        self.retry_unread(work)
    }

    /// The failure tells nothing of what the handler depends on: the record goes on as what it is.
    fn retry_unread(&mut self, work: Work<R>) -> Option<Work<R>> {
        self.hold.failed(self.slot, work.key, Class::Terminal);
        if self.held.holds(work.key) {
            // It is the head of its key: in the inbox it would wait behind itself.
            self.held.hold(work, Duration::ZERO);
        } else {
            self.inbox.push_front(work);
        }
        None
    }

    pub(super) fn fail(&mut self, work: Work<R>, failure: Failure) {
        let Some(work) = self.open(work, &failure) else {
            return;
        };
        let Failure {
            error, class, hope, ..
        } = failure;
        if !self.hold.failed(self.slot, work.key, class) {
            return self.put_back(work, &error);
        }
        if let Some(record) = work.record.parked().cloned() {
            self.release(&work);
            self.fail_parked(work, &record, &error, hope);
            return;
        }
        let blocks = self.handler.exhausted == Exhausted::Block;
        let tried_enough = work.attempt >= self.handler.retry.attempts;
        let mut work = work;
        if hope == Hope::None && !blocks {
            self.give_up(work, &error);
            return;
        }
        // A parked copy would lack what is left out, and be handled without it.
        let parks = work.record.left_out().is_nothing();
        if parks && (tried_enough || hope != Hope::Some) {
            match self.park(work, &error, hope) {
                None => return,
                Some(back) if !blocks => {
                    self.give_up(back, &error);
                    return;
                }
                Some(back) => work = back,
            }
        }
        let ceiling = match tried_enough {
            // It waits for ever, at the longest wait.
            true => self.handler.retry.max,
            false => self.handler.retry.ceiling(work.attempt),
        };
        let wait = jitter(ceiling);
        tracing::info!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset = work.record.offset(),
            attempt = work.attempt, wait_ms = wait.as_millis() as u64, error = format!("{error:#}"),
            "an attempt failed; its key waits"
        );
        self.handler.meters.retried.add(1);
        self.lane
            .trouble(&self.handler, work.key, work.attempt, &*work.record, &error);
        let next = Work {
            attempt: work.attempt.saturating_add(1),
            ..work
        };
        if self.held.hold(next, wait) {
            self.lane.add_held(1);
        }
    }

    /// To the dead letters with it.
    pub(super) fn give_up(&mut self, work: Work<R>, error: &Error) {
        tracing::error!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset = work.record.offset(),
            attempts = work.attempt, error = format!("{error:#}"), "giving a record up: it goes to the dead letters"
        );
        self.release(&work);
        self.dead_letter(work, error, &[], true);
    }

    /// Lets the records behind a held key go on, in their order and before any that came later.
    pub(super) fn release(&mut self, work: &Work<R>) {
        let behind = self.held.release(work.key);
        // A first attempt, or one at a parked record, may be the head of a held key: what fails while the handler holds
        // does not count.
        if behind.is_none() && (work.attempt == 1 || work.record.parked().is_some()) {
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
        mut work: Work<R>,
        error: &Error,
        refused: &[Arc<events_core::Outgoing>],
        given_up: bool,
    ) {
        self.handler.meters.dead_lettered.add(1);
        let records = letters(&self.lane, &self.handler, &work, error, refused);
        work.record.detach();
        self.published.push(Published {
            work,
            records: records.into_iter().collect(),
            kind: Kind::DeadLetter,
            given_up,
        });
    }
}
