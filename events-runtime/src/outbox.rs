//! A lane's emissions between its slots and the broker's acknowledgement (design §7).

mod refusal;
mod sending;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::Outgoing;
use tokio::time::Sleep;

use crate::acks::{Ack, Acks};
use crate::cause::EmitBuffers;
use crate::failpoints;
use crate::lane::context::LaneContext;
use crate::transport::{PublishError, Record, Ticket};
use crate::work::{Kind, Published, Work};
use sending::{Sending, cost};

/// Most buffers that are kept while nothing uses them: two of the largest batches.
const SPARE: usize = 1024;
/// How long to wait before a full client or a lost producer is tried again without any answer having come.
const RETRY: Duration = Duration::from_millis(20);

pub(crate) struct Outbox<R> {
    lane: Arc<LaneContext>,
    acks: Arc<Acks>,
    /// In order; not with the client yet.
    unsent: VecDeque<Sending>,
    /// With the client, by ticket number from `base` on; answered ones are `None`.
    sent: VecDeque<Option<Sending>>,
    base: u64,
    /// Records that wait for their acknowledgements.
    batches: Vec<Option<Batch<R>>>,
    free: Vec<usize>,
    /// Buffers for the emissions of records to come.
    #[expect(
        clippy::vec_box,
        reason = "a record's work carries the box, and nothing is to be allocated for it"
    )]
    spare: Vec<Box<EmitBuffers>>,
    /// Bytes that what is not acknowledged takes.
    bytes: usize,
    /// Sent and not answered.
    waiting: usize,
    /// The client may wake this lane for answers.
    serves: bool,
    /// Answered with "lost": sent again, in order, once every other answer has come.
    lost: Vec<(u64, Sending)>,
    /// Why nothing is sent for now.
    blocked: Option<String>,
    retry: Option<Pin<Box<Sleep>>>,
    /// A letter or a fact was too large, perhaps only because of what it was sent together with: until all is sent, nothing
    /// goes out before what went out is answered.
    one_by_one: bool,
    inbox: Vec<Ack>,
    /// Facts that are not acknowledged, and that a drain waits for.
    notes: usize,
    /// What the lot has not been told.
    happened: Vec<Happened<R>>,
}

/// What the lot is told, in the order in which it came to pass.
#[derive(Debug)]
pub(crate) enum Happened<R> {
    /// What an attempt at a parked record left is acknowledged: its emissions, or its dead letter.
    Ended(Work<R>),
    /// A record was appended to the parked log.
    Appended {
        handler: usize,
        key: u64,
        origin: i64,
        offset: i64,
    },
    /// Another fact was written.
    Noted { fact: Arc<Outgoing>, offset: i64 },
}

struct Batch<R> {
    work: Work<R>,
    handler: usize,
    remaining: usize,
    /// Its record's dead letter is on its way.
    lettered: bool,
}

impl<R: Record> Outbox<R> {
    pub(crate) fn new(lane: Arc<LaneContext>, acks: Arc<Acks>) -> Self {
        Self {
            lane,
            acks,
            unsent: VecDeque::new(),
            sent: VecDeque::new(),
            base: 0,
            batches: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            bytes: 0,
            waiting: 0,
            serves: false,
            lost: Vec::new(),
            blocked: None,
            retry: None,
            one_by_one: false,
            inbox: Vec::new(),
            notes: 0,
            happened: Vec::new(),
        }
    }

    /// Buffers for what a record may cause.
    pub(crate) fn take_buffers(&mut self) -> Box<EmitBuffers> {
        self.spare.pop().unwrap_or_default()
    }

    /// Bytes not acknowledged.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of the oldest that is sent and not answered.
    pub(crate) fn oldest(&self) -> u64 {
        self.base
    }

    /// Records of the lane, and facts, that wait for an acknowledgement.
    pub(crate) fn open(&self) -> usize {
        self.batches.len() - self.free.len() + self.notes
    }

    /// Swaps what the lot has not been told into `into`, which must be empty.
    pub(crate) fn take_happened(&mut self, into: &mut Vec<Happened<R>>) {
        std::mem::swap(&mut self.happened, into);
    }

    /// Takes a fact, or a word about a dead letter, that belongs to no record under way.
    pub(crate) fn note(&mut self, fact: Arc<Outgoing>) {
        self.notes += 1;
        self.bytes += cost(&fact);
        self.unsent.push_back(Sending {
            record: fact,
            batch: usize::MAX,
            kind: Kind::Fact,
            alone: false,
            whole: None,
        });
    }

    /// Why nothing can be sent for now.
    pub(crate) fn blocked(&self) -> Option<&str> {
        self.blocked.as_deref()
    }

    /// Takes what an attempt published.
    pub(crate) fn accept(&mut self, handler: usize, published: Published<R>) {
        if published.kind == Kind::Fact {
            published
                .records
                .into_iter()
                .for_each(|fact| self.note(fact));
            return;
        }
        if published.records.is_empty() {
            // A parked record that emitted nothing.
            self.happened.push(Happened::Ended(published.work));
            return;
        }
        let batch = Batch {
            work: published.work,
            handler,
            remaining: published.records.len(),
            lettered: published.kind == Kind::DeadLetter,
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.batches[place] = Some(batch);
                place
            }
            None => {
                self.batches.push(Some(batch));
                self.batches.len() - 1
            }
        };
        for record in published.records {
            self.bytes += cost(&record);
            self.unsent.push_back(Sending {
                record,
                batch: place,
                kind: published.kind,
                alone: false,
                whole: None,
            });
        }
    }

    /// Fetches answers and sends what can be sent. Each record that is done now goes to `done` as
    /// (sequence number, handler). Answers whether anything happened.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, done: &mut Vec<(u64, usize)>) -> bool {
        let waits = self.waiting > 0;
        if waits || self.serves {
            self.serves = waits;
            self.lane.publish.serve(cx.waker(), waits);
        }
        let mut inbox = std::mem::take(&mut self.inbox);
        self.acks.take(&mut inbox);
        let mut progress = !inbox.is_empty();
        for ack in inbox.drain(..) {
            self.answered(ack, done);
        }
        self.inbox = inbox;
        self.recover();
        if let Some(timer) = &mut self.retry {
            if timer.as_mut().poll(cx).is_pending() {
                return progress;
            }
            self.retry = None;
            self.blocked = None;
        }
        while self.may_send() {
            progress |= self.send_one(done);
        }
        self.one_by_one &= !self.unsent.is_empty() || !self.lost.is_empty() || self.waiting > 0;
        // The timer was set just now: it wakes this task only once it has been polled.
        if let Some(timer) = &mut self.retry
            && let Poll::Ready(()) = timer.as_mut().poll(cx)
        {
            cx.waker().wake_by_ref();
        }
        progress
    }

    fn may_send(&self) -> bool {
        !self.unsent.is_empty()
            && self.lost.is_empty()
            && self.retry.is_none()
            && (!self.one_by_one || self.waiting == 0)
    }

    fn send_one(&mut self, done: &mut Vec<(u64, usize)>) -> bool {
        let Some(mut sending) = self.unsent.pop_front() else {
            return false;
        };
        sending.alone = self.one_by_one;
        let ticket = Ticket::new(Arc::clone(&self.acks), self.base + self.sent.len() as u64);
        let offset = self.origin(&sending);
        let (before, after) = points(sending.kind, &sending.record);
        failpoints::reached(before, &self.lane.partition, offset);
        match self.lane.publish.enqueue(&sending.record, ticket) {
            Ok(()) => {
                failpoints::reached(after, &self.lane.partition, offset);
                self.sent.push_back(Some(sending));
                self.waiting += 1;
                true
            }
            Err((ticket, error)) => {
                ticket.revoke();
                match error {
                    PublishError::Refused(_)
                    | PublishError::TooLarge(_)
                    | PublishError::Invalid(_)
                    | PublishError::Untimely(_) => {
                        self.refused(None, sending, error, done);
                    }
                    error => {
                        self.unsent.push_front(sending);
                        self.pause(RETRY, error.to_string());
                    }
                }
                false
            }
        }
    }

    fn answered(&mut self, ack: Ack, done: &mut Vec<(u64, usize)>) {
        let place = usize::try_from(ack.number.wrapping_sub(self.base)).unwrap_or(usize::MAX);
        let Some(sending) = self.sent.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.waiting -= 1;
        while self.sent.front().is_some_and(Option::is_none) {
            self.sent.pop_front();
            self.base += 1;
        }
        match ack.outcome {
            Ok(written) => {
                let offset = self.origin(&sending);
                failpoints::reached("ack-before", &self.lane.partition, offset);
                self.settled(sending, Some(written.offset), done);
                failpoints::reached("ack-after", &self.lane.partition, offset);
            }
            Err(
                error @ (PublishError::Refused(_)
                | PublishError::TooLarge(_)
                | PublishError::Invalid(_)
                | PublishError::Untimely(_)),
            ) => {
                self.refused(Some(ack.number), sending, error, done);
            }
            Err(_) => self.lost.push((ack.number, sending)),
        }
    }

    /// A record is written at `offset`, or is not to be written.
    fn settled(&mut self, sending: Sending, offset: Option<i64>, done: &mut Vec<(u64, usize)>) {
        self.bytes -= cost(&sending.record);
        if sending.kind == Kind::Fact {
            self.notes -= 1;
            let fact = sending.record;
            let noted = offset.map(|offset| Happened::Noted { fact, offset });
            self.happened.extend(noted);
            return;
        }
        let Some(batch) = self.batches[sending.batch].as_mut() else {
            return;
        };
        batch.remaining -= 1;
        if batch.remaining > 0 {
            return;
        }
        self.free.push(sending.batch);
        let Some(mut batch) = self.batches[sending.batch].take() else {
            return;
        };
        if let (Kind::Emissions, Some(buffers)) = (sending.kind, batch.work.buffers.take()) {
            self.put_buffers(buffers, sending.record);
        }
        if batch.work.record.parked().is_some() {
            self.happened.push(Happened::Ended(batch.work));
            return;
        }
        done.push((batch.work.seq, batch.handler));
        if let (Kind::Append, Some(offset)) = (sending.kind, offset) {
            self.happened.push(Happened::Appended {
                handler: batch.handler,
                key: batch.work.key,
                origin: batch.work.record.offset(),
                offset,
            });
        }
    }

    /// Keeps the buffers of an acknowledged record for another.
    fn put_buffers(&mut self, mut buffers: Box<EmitBuffers>, record: Arc<Outgoing>) {
        if self.spare.len() < SPARE && buffers.is_small() {
            buffers.put_record(record);
            self.spare.push(buffers);
        }
    }

    /// After a lost producer or a refusal: once nothing is under way any more, what was not written goes out again in its
    /// order.
    fn recover(&mut self) {
        if self.lost.is_empty() || self.waiting > 0 {
            return;
        }
        let mut lost = std::mem::take(&mut self.lost);
        lost.sort_by_key(|(number, _)| *number);
        tracing::warn!(partition = %self.lane.partition, records = lost.len(), "what was lost or refused is sent again");
        for (_, sending) in lost.into_iter().rev() {
            self.unsent.push_front(sending);
        }
    }

    /// The offset of the record that caused it; for the fault bench alone.
    fn origin(&self, sending: &Sending) -> i64 {
        let batch = match failpoints::ENABLED {
            true => self.batches.get(sending.batch).and_then(Option::as_ref),
            false => None,
        };
        batch.map_or(-1, |batch| batch.work.record.offset())
    }

    fn pause(&mut self, wait: Duration, reason: String) {
        self.blocked = Some(reason);
        self.retry = Some(Box::pin(tokio::time::sleep(wait)));
    }
}

/// The failpoints around sending a record.
fn points(kind: Kind, record: &Outgoing) -> (&'static str, &'static str) {
    match kind {
        Kind::Emissions | Kind::DeadLetter => ("emit-before", "emit-after"),
        Kind::Append => ("park-before", "park-after"),
        Kind::Fact => failpoints::around(record),
    }
}
