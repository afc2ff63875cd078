//! The engine's state for one assigned partition, and the task that runs it.

pub(crate) mod begun;
pub(crate) mod context;
mod duplicates;
mod followers;
mod intake;
mod map_bound;
mod position;
mod resume;
pub(crate) mod shared;
mod status;
pub(crate) mod unreadable;
mod watch;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep};

use crate::budget::Share;
use crate::dedupe::Window;
use crate::lane::context::LaneContext;
use crate::lane::duplicates::Ended;
use crate::lane::followers::Followers;
use crate::lane::map_bound::MapBound;
use crate::lane::shared::{Control, LaneReport, LaneShared};
use crate::lane::unreadable::Unreadable;
use crate::lane::watch::Watch;
use crate::offset_map::OffsetMap;
use crate::outbox::Outbox;
use crate::parking::lot::Lot;
use crate::ring::Ring;
use crate::routing;
use crate::slots::SlotTable;
use crate::transport::{ParkedStart, Position, Queue};
use crate::work::Done;

/// Rounds of work before the task yields to others, and full batches: a lane that may take little at a time, because a key
/// waits, is to keep up with the others.
const ROUNDS: usize = 16;
const BATCHES: usize = 4;
/// How long the oldest emission may wait before those of its lane do not keep other lanes from beginning.
const STUCK: Duration = Duration::from_secs(5);

pub(crate) struct Lane<Q: Queue> {
    context: Arc<LaneContext>,
    shared: Arc<LaneShared>,
    queue: Q,
    ring: Ring,
    window: Window,
    /// What was done above the watermark before this assignment; gone once the lane is past it.
    resume: Option<(OffsetMap, i64)>,
    slots: SlotTable<Q::Record>,
    /// Duplicates of records that are not done.
    followers: Followers<Q::Record>,
    ended: Ended,
    outbox: Outbox<Q::Record>,
    batch: Vec<Q::Record>,
    settled: Vec<(u64, usize)>,
    /// Records dispatched and not done, and their bytes.
    in_flight: usize,
    bytes: usize,
    /// Bytes that a record of the last batch took on average: how many more fit below the bound.
    mean_bytes: usize,
    share: Share,
    /// When the lane last took records, or could have.
    took: Instant,
    /// For each handler the records that it has not done.
    open: Vec<u64>,
    map_bound: MapBound<Q::Record>,
    /// Positions of which the offset map was shortened.
    shortened_maps: u64,
    /// For the log.
    map_loss: Unreadable,
    redelivery: Unreadable,
    received: u64,
    skipped: u64,
    duplicates: u64,
    /// Records that the client handed out again.
    redelivered: u64,
    /// Records done that the member does not count yet.
    done_uncounted: u64,
    /// The oldest emission that is not acknowledged, and since when it is the oldest.
    oldest_emission: (u64, Instant),
    emissions_stuck: bool,
    published_position: Option<Position>,
    published_at: Instant,
    progressed: Instant,
    queue_retry: Option<(Pin<Box<Sleep>>, String)>,
    /// For the log.
    unreadable: Unreadable,
    failed: Option<String>,
    watch: Watch,
    /// Its parked keys; none where keys are not parked.
    lot: Option<Lot<Q>>,
}

impl<Q: Queue> Lane<Q> {
    pub(crate) fn new(
        context: Arc<LaneContext>,
        shared: Arc<LaneShared>,
        queue: Q,
        start: i64,
        resume: OffsetMap,
        parked: Option<ParkedStart<Q>>,
    ) -> Self {
        let settings = Arc::clone(&context.group.settings);
        context.group.say_start(start);
        let lot = parked.and_then(|parked| {
            let shared = context.parked.clone()?;
            Some(Lot::new(Arc::clone(&context), shared, parked, start))
        });
        Self {
            ring: Ring::starting_at(start),
            window: Window::new(settings.dedupe_window, context.topic.handlers.len()),
            resume: resume.end().map(|end| (resume, end)),
            slots: SlotTable::new(Arc::clone(&context), &shared),
            followers: Followers::new(),
            ended: Ended::default(),
            outbox: Outbox::new(Arc::clone(&context), Arc::clone(&shared.acks)),
            batch: Vec::with_capacity(settings.batch),
            settled: Vec::new(),
            in_flight: 0,
            bytes: 0,
            mean_bytes: 1,
            share: context.group.budget.share(),
            took: Instant::now(),
            open: vec![0; context.topic.handlers.len()],
            map_bound: MapBound::new(&context),
            shortened_maps: 0,
            map_loss: Unreadable::default(),
            redelivery: Unreadable::default(),
            received: 0,
            skipped: 0,
            duplicates: 0,
            redelivered: 0,
            done_uncounted: 0,
            oldest_emission: (0, Instant::now()),
            emissions_stuck: false,
            published_position: None,
            published_at: Instant::now(),
            progressed: Instant::now(),
            queue_retry: None,
            unreadable: Unreadable::default(),
            failed: None,
            watch: Watch::new(&context),
            lot,
            context,
            shared,
            queue,
        }
    }

    fn run_slots(&mut self) -> bool {
        let Self {
            slots,
            ring,
            outbox,
            in_flight,
            bytes,
            open,
            done_uncounted,
            window,
            context,
            followers,
            ended,
            ..
        } = self;
        let polled = slots.poll(|brought| {
            *done_uncounted += brought.done.len() as u64;
            open[brought.handler] -= brought.done.len() as u64;
            for Done { seq, .. } in brought.done.drain(..) {
                if !followers.is_empty() {
                    ended
                        .done
                        .extend(ring.offset(seq).map(|offset| (offset, brought.handler)));
                }
                if let Some(freed) = ring.done(seq, brought.handler) {
                    *in_flight -= 1;
                    *bytes -= freed as usize;
                }
            }
            for published in brought.published.drain(..) {
                if published.given_up {
                    let record = &*published.work.record;
                    let identity = match context.topic.handlers[brought.handler].dedupe {
                        true => routing::identity(record, window),
                        false => None,
                    };
                    ended
                        .given_up
                        .push((brought.handler, record.offset(), identity));
                }
                outbox.accept(brought.handler, published);
            }
        });
        let progress = polled.unwrap_or_else(|reason| {
            tracing::error!(partition = %self.context.partition, reason, "the lane cannot go on");
            self.failed = Some(reason);
            false
        });
        if self.ended.is_any() {
            self.release_followers();
        }
        progress
    }

    fn send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut settled = std::mem::take(&mut self.settled);
        let progress = self.outbox.poll(cx, &mut settled);
        self.done_uncounted += settled.len() as u64;
        for (seq, handler) in settled.drain(..) {
            if !self.followers.is_empty() {
                let offset = self.ring.offset(seq);
                self.ended
                    .done
                    .extend(offset.map(|offset| (offset, handler)));
            }
            self.open[handler] -= 1;
            if let Some(freed) = self.ring.done(seq, handler) {
                self.in_flight -= 1;
                self.bytes -= freed as usize;
            }
        }
        self.settled = settled;
        if self.ended.is_any() {
            self.release_followers();
        }
        progress
    }

    /// Ends the lane: what is under way is dropped, what is done is reported.
    fn end(&mut self) -> LaneReport {
        let abandoned = self.slots.busy() + self.unanswered();
        self.slots.clear();
        let overdue = self.context.outliving();
        self.ring.advance();
        let done = std::mem::take(&mut self.done_uncounted);
        self.shared.begun.done(done);
        if self.shared.control() == Control::Drain {
            self.pass_gap_at_end();
            // Others may drain for longer: what is done here need not wait for them.
            self.publish_position();
        }
        self.shared.answer_position(u64::MAX);
        LaneReport {
            partition: self.context.partition.clone(),
            position: self.position(),
            abandoned,
            overdue,
        }
    }

    fn look_for_stuck_emissions(&mut self) {
        let now = Instant::now();
        let oldest = self.outbox.oldest();
        if oldest != self.oldest_emission.0 || self.outbox.open() == 0 {
            self.oldest_emission = (oldest, now);
        }
        self.emissions_stuck = now - self.oldest_emission.1 >= STUCK;
    }

    /// Records and facts that wait for an acknowledgement.
    fn unanswered(&self) -> usize {
        match &self.lot {
            // Nothing has been dispatched: what there is, is its claim.
            Some(lot) if lot.is_claiming() => 0,
            _ => self.outbox.open(),
        }
    }

    fn tend(&mut self, cx: &mut Context<'_>, running: bool) -> bool {
        let Some(lot) = &mut self.lot else {
            return false;
        };
        let running = running.then(|| self.ring.watermark());
        if lot.is_outranked()
            && let Some(generation) = self.shared.take_confirmation()
        {
            lot.overrule(generation);
        }
        let progress = lot.poll(cx, running, &mut self.slots, &mut self.outbox);
        self.shared.set_outranked(lot.is_outranked());
        progress
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<LaneReport> {
        self.shared.wake.register(cx.waker());
        let share = self.received + (BATCHES * self.context.group.settings.batch) as u64;
        for _ in 0..ROUNDS {
            let control = self.shared.control();
            if control == Control::Cancel {
                return Poll::Ready(self.end());
            }
            if control == Control::Drain {
                self.slots.stop();
            }
            let mut progress = self.run_slots();
            progress |= self.send(cx);
            progress |= self.tend(cx, control == Control::Run);
            if self.shared.control() == Control::Cancel {
                // A handler blocked this thread meanwhile: the partition may have another lane by now, and the client one queue
                // for both.
                return Poll::Ready(self.end());
            }
            if control == Control::Run {
                progress |= self.intake(cx);
            } else if self.slots.busy() == 0 && self.unanswered() == 0 {
                return Poll::Ready(self.end());
            }
            if self.ring.advance() {
                self.progressed = Instant::now();
                progress |= self.lot.as_ref().is_some_and(Lot::waits_for_source);
            }
            let done = std::mem::take(&mut self.done_uncounted);
            self.shared.begun.done(done);
            let asked = self.shared.asked_position();
            let told = self.shared.take_request();
            if told {
                self.pass_gap_at_end();
            }
            if asked.is_some() || told {
                self.publish_position();
                progress |= self.look_at_map_bound();
            }
            if let Some(request) = asked {
                self.shared.answer_position(request);
            }
            if told {
                self.look_for_stuck_emissions();
                self.rest_if_full();
                self.look_for_stall();
                self.tell_status();
            }
            if !progress {
                return Poll::Pending;
            }
            if self.received >= share || !has_budget_remaining() {
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<Q: Queue> Future for Lane<Q> {
    type Output = LaneReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LaneReport> {
        let turn = self.turn(cx);
        let unacknowledged = match turn.is_pending() {
            true => self.outbox.open() as u64,
            false => 0,
        };
        self.shared
            .begun
            .settle(unacknowledged, self.emissions_stuck);
        turn
    }
}
