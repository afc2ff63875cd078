//! The engine's state for one assigned partition, and the task that runs it.

pub(crate) mod context;
pub(crate) mod shared;
mod status;
mod watch;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Ordering, RecordView};
use tokio::time::{Instant, Sleep};
use xxhash_rust::xxh3::xxh3_64;

use crate::dedupe::Window;
use crate::lane::context::LaneContext;
use crate::lane::shared::{Control, LaneReport, LaneShared};
use crate::lane::watch::Watch;
use crate::offset_map::{self, OffsetMap, Run};
use crate::outbox::Outbox;
use crate::plan::TopicPlan;
use crate::ring::Ring;
use crate::routing;
use crate::slots::SlotTable;
use crate::transport::{Position, Queue, Record};
use crate::work::{RecordRef, Work};

/// Rounds of work before the task yields to others.
const ROUNDS: usize = 4;
/// How long to wait before a partition that cannot be read is asked again.
const QUEUE_RETRY: Duration = Duration::from_millis(500);

pub(crate) struct Lane<Q: Queue> {
    context: Arc<LaneContext>,
    shared: Arc<LaneShared>,
    queue: Q,
    ring: Ring,
    window: Window,
    /// What was done above the watermark before this assignment; gone once the lane is past it.
    resume: Option<(OffsetMap, i64)>,
    slots: SlotTable<Q::Record>,
    outbox: Outbox<Q::Record>,
    batch: Vec<Q::Record>,
    settled: Vec<(u64, usize)>,
    /// Records dispatched and not done, and their bytes.
    in_flight: usize,
    bytes: usize,
    /// For each handler the records that it has not done.
    open: Vec<u64>,
    received: u64,
    skipped: u64,
    duplicates: u64,
    done_since_position: u64,
    published_position: Option<Position>,
    progressed: Instant,
    queue_retry: Option<(Pin<Box<Sleep>>, String)>,
    failed: Option<String>,
    watch: Watch,
}

impl<Q: Queue> Lane<Q> {
    pub(crate) fn new(
        context: Arc<LaneContext>,
        shared: Arc<LaneShared>,
        queue: Q,
        start: i64,
        resume: OffsetMap,
    ) -> Self {
        let settings = Arc::clone(&context.group.settings);
        Self {
            ring: Ring::starting_at(start),
            window: Window::new(settings.dedupe_window),
            resume: resume.end().map(|end| (resume, end)),
            slots: SlotTable::new(Arc::clone(&context), Arc::clone(&shared.wake)),
            outbox: Outbox::new(Arc::clone(&context), Arc::clone(&shared.acks)),
            batch: Vec::with_capacity(settings.batch),
            settled: Vec::new(),
            in_flight: 0,
            bytes: 0,
            open: vec![0; context.topic.handlers.len()],
            received: 0,
            skipped: 0,
            duplicates: 0,
            done_since_position: 0,
            published_position: None,
            progressed: Instant::now(),
            queue_retry: None,
            failed: None,
            watch: Watch::new(&context),
            context,
            shared,
            queue,
        }
    }

    /// How many records may be taken now. At 0 the partition's queue is not polled: that is the back-pressure (D7).
    fn room(&self) -> usize {
        let settings = &self.context.group.settings;
        let full = self.bytes >= settings.lane_bytes
            || self.context.held() >= settings.lane_held
            || self.outbox.bytes() >= settings.lane_emission_bytes
            || self.ring.len() >= settings.lane_ahead
            || self.queue_retry.is_some()
            || self.failed.is_some();
        if full {
            return 0;
        }
        let mut room = settings
            .lane_records
            .saturating_sub(self.in_flight)
            .min(settings.batch);
        // Dispatch stops before the offset map could outgrow its metadata (D3).
        while room > 0 && !self.map_fits(room as u64) {
            room /= 2;
        }
        room
    }

    fn map_fits(&self, more: u64) -> bool {
        offset_map::fits(
            self.ring.span() + more,
            self.open.iter().map(|open| open + more),
        )
    }

    fn intake(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some((timer, _)) = &mut self.queue_retry {
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.queue_retry = None;
        }
        let room = self.room();
        if room == 0 {
            return false;
        }
        let topic = Arc::clone(&self.context.topic);
        let mut batch = std::mem::take(&mut self.batch);
        let polled = self.queue.poll_batch(cx, room, &mut batch);
        let progress = !batch.is_empty();
        if progress && self.ring.len() == 0 {
            // Idleness counts from when there is something to do.
            self.progressed = Instant::now();
        }
        self.received += batch.len() as u64;
        self.watch.note(&batch);
        for record in batch.drain(..) {
            self.route(&topic, record);
        }
        self.batch = batch;
        if let Poll::Ready(Err(error)) = polled {
            tracing::error!(partition = %self.context.partition, %error, "the partition cannot be read");
            let mut timer = Box::pin(tokio::time::sleep(QUEUE_RETRY));
            // Polled once, so that it wakes this task.
            let _ = timer.as_mut().poll(cx);
            self.queue_retry = Some((timer, error.0));
            return true;
        }
        progress
    }

    fn route(&mut self, topic: &TopicPlan, mut record: Q::Record) {
        let offset = record.offset();
        let route = match routing::route(topic, &record, &mut self.window) {
            // A tombstone deletes a key from a compacted topic; it is no event.
            Some(route) if record.value().is_some() => route,
            _ => {
                self.ring.skip(offset);
                self.skipped += 1;
                return;
            }
        };
        let plan = &topic.types[route.event];
        if topic.reads_headers && !plan.keeps_headers {
            record.forget_headers();
        }
        let size = record.size();
        let seq = self
            .ring
            .receive(offset, u32::try_from(size).unwrap_or(u32::MAX));
        let duplicate = route
            .identity
            .is_some_and(|identity| self.window.holds_or_remembers(identity));
        self.duplicates += u64::from(duplicate);
        let alone = || xxh3_64(&seq.to_le_bytes());
        let key = record.key().map_or_else(alone, xxh3_64);
        let work = |handler: usize, record| Work {
            record,
            seq,
            key: match topic.handlers[handler].ordering {
                Ordering::None => alone(),
                _ => key,
            },
            version: route.version,
            attempt: 1,
            event: route.event as u16,
        };
        if let [handler] = plan.handlers[..] {
            let handler = usize::from(handler);
            if self.needless(seq, offset, handler, duplicate) {
                return;
            }
            self.expect(seq, size, &[handler]);
            self.slots
                .stage(handler, work(handler, RecordRef::Own(record)));
            return;
        }
        let handlers = plan.handlers.iter().map(|handler| usize::from(*handler));
        let wanting: Vec<_> = handlers
            .filter(|handler| !self.needless(seq, offset, *handler, duplicate))
            .collect();
        if wanting.is_empty() {
            return;
        }
        self.expect(seq, size, &wanting);
        let record = Arc::new(record);
        for handler in wanting {
            let record = RecordRef::Shared(Arc::clone(&record));
            self.slots.stage(handler, work(handler, record));
        }
    }

    /// Whether the handler needs not see the record: it had done it before this assignment, or the record is a
    /// duplicate. A duplicate counts as done at once, because the watermark cannot pass its first bearer before that is.
    fn needless(&mut self, seq: u64, offset: i64, handler: usize, duplicate: bool) -> bool {
        let plan = &self.context.topic.handlers[handler];
        let done_before = match &self.resume {
            Some((map, end)) if offset < *end => map.is_done(plan.hash, offset),
            Some(_) => {
                self.resume = None;
                false
            }
            None => false,
        };
        let repeated = duplicate && plan.dedupe;
        if repeated && !done_before {
            plan.meters.duplicates.add(1);
        }
        let needless = done_before || repeated;
        if needless {
            self.ring.mark(seq, handler);
        }
        needless
    }

    fn expect(&mut self, seq: u64, size: usize, handlers: &[usize]) {
        self.ring.expect(seq, handlers.len() as u16);
        self.in_flight += 1;
        self.bytes += size;
        for handler in handlers {
            self.open[*handler] += 1;
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
            done_since_position,
            ..
        } = self;
        let polled = slots.poll(|brought| {
            *done_since_position += brought.done.len() as u64;
            open[brought.handler] -= brought.done.len() as u64;
            for seq in brought.done.drain(..) {
                if let Some(freed) = ring.done(seq, brought.handler) {
                    *in_flight -= 1;
                    *bytes -= freed as usize;
                }
            }
            for published in brought.published.drain(..) {
                outbox.accept(brought.handler, published);
            }
        });
        polled.unwrap_or_else(|reason| {
            tracing::error!(partition = %self.context.partition, reason, "the lane cannot go on");
            self.failed = Some(reason);
            false
        })
    }

    fn send(&mut self, cx: &mut Context<'_>) -> bool {
        let mut settled = std::mem::take(&mut self.settled);
        let progress = self.outbox.poll(cx, &mut settled);
        self.done_since_position += settled.len() as u64;
        for (seq, handler) in settled.drain(..) {
            self.open[handler] -= 1;
            if let Some(freed) = self.ring.done(seq, handler) {
                self.in_flight -= 1;
                self.bytes -= freed as usize;
            }
        }
        self.settled = settled;
        progress
    }

    /// What would be committed now; `None` while the map is too large, which its bound makes all but impossible.
    fn position(&self) -> Option<Position> {
        let handlers = self.context.topic.handlers.iter().enumerate();
        let runs: Vec<(u32, Vec<Run>)> = handlers
            .map(|(index, handler)| (handler.hash, self.ring.runs(index)))
            .collect();
        let watermark = self.ring.watermark();
        let metadata = offset_map::encode(watermark, &runs)?;
        Some(Position {
            watermark,
            metadata,
            parked: None,
        })
    }

    fn publish_position(&mut self) {
        self.done_since_position = 0;
        let position = self.position();
        if position.is_some() && position != self.published_position {
            self.shared.set_position(position.clone());
            self.published_position = position;
        }
    }

    /// Ends the lane: what is under way is dropped, what is done is reported.
    fn end(&mut self) -> LaneReport {
        let abandoned = self.slots.busy() + self.outbox.open();
        self.slots.clear();
        let overdue = self.context.outliving();
        self.ring.advance();
        LaneReport {
            partition: self.context.partition.clone(),
            position: self.position(),
            abandoned,
            overdue,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<LaneReport> {
        self.shared.wake.register(cx.waker());
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
            if control == Control::Run {
                progress |= self.intake(cx);
            } else if self.slots.busy() == 0 && self.outbox.open() == 0 {
                return Poll::Ready(self.end());
            }
            if self.ring.advance() {
                self.progressed = Instant::now();
            }
            let due = self.done_since_position >= self.context.group.settings.commit_records;
            if due || self.shared.take_request() {
                self.publish_position();
                self.look_for_stall();
                self.tell_status();
            }
            if !progress {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<Q: Queue> Future for Lane<Q> {
    type Output = LaneReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LaneReport> {
        self.turn(cx)
    }
}
