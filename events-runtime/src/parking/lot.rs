//! A lane's part in parking: reads its parked log, stages what is due, and appends what came of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use events_core::{Outgoing, RecordView};
use tokio::time::{Instant, Sleep};

use crate::budget::ParkedShare;
use crate::dead_letter::resolution_of;
use crate::dedupe::Window;
use crate::lane::context::LaneContext;
use crate::lane::unreadable::Unreadable;
use crate::outbox::{Happened, Outbox};
use crate::parking::fact::{Head, Writer, brief, decode_claim, encode_claim};
use crate::parking::ledger::{Ledger, Pair, Standing, number_after};
use crate::parking::limits::bounds;
use crate::parking::record::ParkedRecord;
use crate::parking::shared::ParkedShared;
use crate::parking::takeover::Takeover;
use crate::slots::SlotTable;
use crate::transport::{ParkedPosition, ParkedStart, Queue, Record};
use crate::work::{RecordRef, Work};

/// The longest wait without a look at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(60);

/// The parked keys of a lane.
pub(crate) struct Lot<Q: Queue> {
    pub(super) lane: Arc<LaneContext>,
    pub(super) parked: Arc<ParkedShared>,
    pub(super) queue: Q,
    pub(super) generation: i64,
    pub(super) ledger: Ledger<Arc<ParkedRecord>>,
    pub(super) batch: Vec<Q::Record>,
    happened: Vec<Happened<Q::Record>>,
    /// Pairs of which nothing is open and that may not have been released.
    pub(super) free: Vec<Pair>,
    /// For routing alone: what is parked is no duplicate.
    pub(super) window: Window,
    /// Set to when the next record is due.
    timer: Option<(i64, Pin<Box<Sleep>>)>,
    pub(super) retry: Option<(Pin<Box<Sleep>>, String)>,
    /// For the log.
    pub(super) unreadable: Unreadable,
    claimed: bool,
    takeover: Takeover,
    /// Its topic was seen to be another than what is parked came from.
    pub(super) made_anew: bool,
    /// Behind the last record of the lane that the log has acknowledged.
    pub(super) written: i64,
    /// Its part of what all lanes keep of parked records.
    pub(super) share: ParkedShare,
    /// Redrives that were refused.
    pub(super) refused: u64,
    /// For the log.
    pub(super) refusing: Unreadable,
    pub(super) overflowing: Unreadable,
    pub(super) forging: Unreadable,
    /// The topic of its source, and the names of its handlers, as parked records have them.
    pub(super) source: Arc<str>,
    pub(super) names: Vec<Arc<str>>,
    /// Since when it keeps its lane from taking records; none while it does not.
    pub(super) closed: Option<Instant>,
}

impl<Q: Queue> Lot<Q> {
    pub(crate) fn new(
        lane: Arc<LaneContext>,
        parked: Arc<ParkedShared>,
        start: ParkedStart<Q>,
        resumed_at: i64,
    ) -> Self {
        let bounds = bounds(&lane.group.settings);
        let handlers = lane.topic.handlers.iter();
        let token = parked.token.clone();
        let claim = decode_claim(&start.claim);
        Self {
            generation: number_after(claim.as_ref(), start.generation),
            ledger: Ledger::new(0, claim, token, bounds).resumed_at(resumed_at),
            queue: start.queue,
            share: lane.group.budget.parked(),
            refused: 0,
            refusing: Unreadable::default(),
            overflowing: Unreadable::default(),
            forging: Unreadable::default(),
            source: lane.topic.topic.as_str().into(),
            names: handlers
                .map(|plan| plan.stable_name.as_str().into())
                .collect(),
            lane,
            parked,
            batch: Vec::new(),
            happened: Vec::new(),
            free: Vec::new(),
            window: Window::new(0, 0),
            timer: None,
            retry: None,
            unreadable: Unreadable::default(),
            claimed: false,
            takeover: Takeover::default(),
            made_anew: false,
            written: 0,
            closed: Some(Instant::now()),
        }
    }

    /// Whether its claim has not been read yet.
    pub(crate) fn is_claiming(&self) -> bool {
        *self.ledger.standing() == Standing::Claiming
    }

    /// Whether another's claim keeps it from taking records, and it has taken none.
    pub(crate) fn is_outranked(&self) -> bool {
        matches!(self.ledger.standing(), Standing::Outranked(_))
    }

    /// The coordinator has told that this member, of that generation, owns the partition: a claim that outranks its own is of
    /// a group that is gone, and the log is claimed again.
    pub(crate) fn overrule(&mut self, generation: i64) {
        if let Some(number) = self.ledger.overrule(generation) {
            tracing::info!(
                partition = %self.lane.partition, parked = self.parked.topic, generation, number,
                "the group's coordinator takes this member for the owner, so the claim that outranks its own is of an earlier group: the parked log is claimed again"
            );
            self.generation = number;
            self.claimed = false;
        }
    }

    /// Its claim is to be written once more.
    pub(super) fn claim_anew(&mut self) {
        self.claimed = false;
    }

    /// Whether the lane may take no records from its source.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// From where on the log is to be read, once the source's `watermark` is committed; none while the lane does not own
    /// it, when nothing may be committed at all.
    pub(crate) fn position(&mut self, watermark: i64) -> Option<ParkedPosition> {
        if *self.ledger.standing() != Standing::Owner {
            return None;
        }
        let (parked, position) = (&self.parked, self.ledger.position());
        parked.with(|pairs| {
            let on_its_way = |pair, origin| pairs.is_on_its_way(pair, origin, position);
            self.ledger.forget(watermark, on_its_way);
        });
        let (offset, claim) = self.ledger.hint(watermark, |pair| parked.is_parked(pair));
        Some(ParkedPosition {
            topic: parked.topic.clone(),
            offset,
            claim: claim.as_ref().map_or_else(String::new, encode_claim),
        })
    }

    /// Whether what is parked may wait for the source's watermark.
    pub(crate) fn waits_for_source(&self) -> bool {
        !self.takeover.is_over()
    }

    /// Goes on as far as it can. `running` is the source's watermark, unless the lane is to end. Answers whether anything
    /// happened.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        running: Option<i64>,
        slots: &mut SlotTable<Q::Record>,
        outbox: &mut Outbox<Q::Record>,
    ) -> bool {
        let mut progress = false;
        if !std::mem::replace(&mut self.claimed, true) {
            outbox.note(Arc::new(self.writer().claim(self.generation)));
            progress = true;
        }
        let mut happened = std::mem::take(&mut self.happened);
        outbox.take_happened(&mut happened);
        for happened in happened.drain(..) {
            progress = true;
            self.take(happened, outbox);
        }
        self.happened = happened;
        progress |= self.read(cx);
        self.release();
        if let Some(watermark) = running.filter(|_| *self.ledger.standing() == Standing::Owner) {
            self.takeover.poll(cx, watermark, self.ledger.rebuilt_end());
            while self.ledger.running() < self.lane.group.settings.lane_records
                && let Some(at) = self.ledger.take_order()
            {
                progress = true;
                self.obey(at, outbox);
            }
            progress |= self.tell_refused_letters(outbox);
            progress |= self.stage(cx, watermark, slots);
        }
        self.reckon();
        match (self.must_close(), self.closed) {
            (true, None) => self.closed = Some(Instant::now()),
            (false, Some(_)) => {
                self.closed = None;
                // The lane may take records again.
                progress = true;
            }
            _ => {}
        }
        progress
    }

    fn writer(&self) -> Writer<'_> {
        Writer {
            topic: &self.parked.topic,
            partition: self.lane.partition.partition,
            token: &self.parked.token,
        }
    }

    /// Tells the slots how many records of a pair are open.
    pub(super) fn recount(&self, pair: Pair) {
        let (open, position) = (self.ledger.open_of(pair), self.ledger.position());
        self.parked
            .with(|pairs| pairs.read_back(pair, open, position));
    }

    fn take(&mut self, happened: Happened<Q::Record>, outbox: &mut Outbox<Q::Record>) {
        match happened {
            Happened::Ended(work) => self.ended(work.seq.cast_signed(), None, outbox),
            Happened::Appended {
                handler,
                key,
                origin,
                offset,
            } => {
                let handler = self.lane.topic.handlers[handler].hash;
                let pair = Pair { handler, key };
                self.written = self.written.max(offset + 1);
                self.parked
                    .with(|pairs| pairs.appended(pair, origin, offset));
                if !self.ledger.has_open(pair) {
                    self.free.push(pair);
                }
            }
            Happened::Noted { fact, offset } => self.noted(&fact, offset, outbox),
        }
    }

    /// Nothing is to be done any more for the record at `at`; `reason` if it was not handled.
    pub(super) fn ended(&mut self, at: i64, reason: Option<&str>, outbox: &mut Outbox<Q::Record>) {
        let Some(open) = self.ledger.get(at) else {
            return;
        };
        let record = &open.payload;
        // First the word that it is redriven: were it the other way round, a kill in between would leave none.
        let note = match &record.redrive {
            Some(id) => {
                let outcome = reason.map_or("redriven", |_| "discarded");
                let reason = reason.unwrap_or("its handler is done with it");
                resolution_of(&self.lane, record.key(), id, outcome, reason)
            }
            None => self.done(record, at, reason),
        };
        outbox.note(Arc::new(note));
    }

    fn done(&self, record: &ParkedRecord, at: i64, reason: Option<&str>) -> Outgoing {
        let redrive = record.redrive.as_deref();
        self.writer()
            .done(record, &record.handler, at, redrive, reason)
    }

    fn noted(&mut self, fact: &Outgoing, offset: i64, outbox: &mut Outbox<Q::Record>) {
        if let Some(id) = fact.header(crate::dead_letter::dead_letter_header::OF) {
            let at = std::str::from_utf8(id).ok();
            let at = at.and_then(|id| self.ledger.redriven_at(id));
            if let Some(at) = at
                && let Some(open) = self.ledger.get(at)
            {
                outbox.note(Arc::new(self.done(&open.payload, at, None)));
            }
            return;
        }
        let head = Head::read(fact.headers());
        let Some(at) = head.at else {
            return;
        };
        if head.fact == "done" {
            if let Some(pair) = self.ledger.finish(at) {
                self.recount(pair);
                self.free.push(pair);
            }
            return;
        }
        // What has been read back since may have been overruled.
        if offset >= self.ledger.position() {
            let error = brief(head.error.unwrap_or_default()).to_owned();
            let (attempts, next) = (head.attempts.unwrap_or(0), head.next.unwrap_or(0));
            self.ledger.failed(offset, at, attempts, next, error);
        }
        self.ledger.rest(at);
    }

    /// Lets go of the pairs of which everything is done that was appended.
    fn release(&mut self) {
        if self.free.is_empty() {
            return;
        }
        let (ledger, parked) = (&self.ledger, &self.parked);
        let position = ledger.position();
        self.free.retain(|pair| {
            !ledger.has_open(*pair) && !parked.with(|pairs| pairs.release(*pair, position))
        });
    }

    fn take_due(&mut self, now: i64, watermark: i64) -> Option<i64> {
        let (parked, position) = (&self.parked, self.ledger.position());
        let (takeover, end) = (&self.takeover, self.ledger.rebuilt_end());
        self.ledger.take_due(now, |pair, place| {
            takeover.holds_back(place, watermark, end)
                || parked.with(|pairs| pairs.may_be_overtaken(pair, place, position))
        })
    }

    /// Puts what is due into its slots, and sets the timer for what is due next.
    fn stage(
        &mut self,
        cx: &mut Context<'_>,
        watermark: i64,
        slots: &mut SlotTable<Q::Record>,
    ) -> bool {
        let mut progress = false;
        loop {
            let Some(due) = self.ledger.next_due() else {
                self.timer = None;
                return progress;
            };
            let now = self.lane.publish.now();
            while self.ledger.running() < self.lane.group.settings.lane_records
                && let Some(at) = self.take_due(now, watermark)
            {
                progress = true;
                let open = self.ledger.get(at);
                let staged =
                    open.and_then(|open| work(at, open.attempts, open.pair, &open.payload));
                if let Some((handler, work)) = staged {
                    slots.stage(handler, work);
                }
            }
            if progress || due <= now {
                return progress;
            }
            let wait = Duration::from_millis((due - now).unsigned_abs()).min(LOOK);
            let timer = match &mut self.timer {
                Some((set, timer)) if *set == due => timer,
                timer => &mut timer.insert((due, Box::pin(tokio::time::sleep(wait)))).1,
            };
            if timer.as_mut().poll(cx).is_pending() {
                return progress;
            }
            self.timer = None;
        }
    }
}

/// What a slot gets of a parked record, and its handler's place.
pub(super) fn work<R: Record>(
    at: i64,
    attempts: u32,
    pair: Pair,
    record: &Arc<ParkedRecord>,
) -> Option<(usize, Work<R>)> {
    let route = record.route?;
    let work = Work {
        record: RecordRef::Parked(Arc::clone(record)),
        seq: at.cast_unsigned(),
        key: pair.key,
        version: route.version,
        attempt: attempts.saturating_add(1),
        event: route.event,
        lined_up: 0,
        buffers: None,
    };
    Some((route.handler, work))
}
