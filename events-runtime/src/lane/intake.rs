//! From the partition's queue into the slots.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{EnvelopeError, Ordering, RecordView};
use tokio::time::Instant;

use crate::dedupe::Identity;
use crate::key_hash;
use crate::lane::Lane;
use crate::lane::duplicates::Bearing;
use crate::opened::OpenedRecord;
use crate::parking::copied::Copied;
use crate::parking::lot::Lot;
use crate::plan::{HandlerPlan, TopicPlan};
use crate::ring::Takers;
use crate::routing::{self, Route, Routed};
use crate::transport::{Queue, Record};
use crate::work::{RecordRef, SharedRecord, Work};

/// What becomes of a record for one handler.
enum Fate {
    /// It is done already.
    Needless,
    Take,
    /// It is a duplicate of the record at this offset, which is not done.
    Wait(i64),
}

/// What a client keeps of a parsed header beside its name and its value, which it copies.
const PARSED_HEADER: usize = 64;
/// How long a lane takes nothing before its queue may let go of what was fetched ahead. What is fetched again costs time,
/// and records in flight keep alive what was fetched with them the first time: so only a lane that stands still does it.
const REST: Duration = Duration::from_secs(30);
/// How long to wait before a partition that cannot be read is asked again.
const QUEUE_RETRY: Duration = Duration::from_millis(500);

impl<Q: Queue> Lane<Q> {
    /// How many records may be taken now. At 0 the partition's queue is not polled: that is the back-pressure (D7).
    pub(super) fn room(&self) -> usize {
        let settings = &self.context.group.settings;
        let bytes = self.share.of(settings.lane_bytes);
        let full = self.bytes >= bytes
            || self.context.held() >= settings.lane_held
            || self.outbox.bytes() >= self.share.of(settings.lane_emission_bytes)
            || self.ring.len() >= settings.lane_ahead
            || self.queue_retry.is_some()
            || self.lot.as_ref().is_some_and(Lot::is_closed)
            || self.failed.is_some()
            || self.map_bound.has_waiting();
        if full {
            return 0;
        }
        let fit = (bytes - self.bytes) / self.mean_bytes;
        let room = settings
            .lane_records
            .saturating_sub(self.in_flight)
            .min(settings.batch)
            .min(fit.max(1));
        // Dispatch stops before the offset map could outgrow its metadata (D3).
        self.map_room(room as u64) as usize
    }

    pub(super) fn intake(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some((timer, _)) = &mut self.queue_retry {
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.queue_retry = None;
        }
        let topic = Arc::clone(&self.context.topic);
        if self.map_bound.has_waiting() {
            let waiting = self.map_bound.take_waiting();
            let before = waiting.len();
            self.route_all(&topic, waiting.into_iter());
            return self.map_bound.waiting() < before;
        }
        let room = self.room();
        if room == 0 {
            return false;
        }
        self.took = Instant::now();
        let mut batch = std::mem::take(&mut self.batch);
        let polled = self.queue.poll_batch(cx, room, &mut batch);
        let progress = !batch.is_empty();
        if progress && self.ring.len() == 0 {
            // Idleness counts from when there is something to do.
            self.progressed = Instant::now();
        }
        self.received += batch.len() as u64;
        self.watch.note(&batch);
        let (count, before) = (batch.len(), self.bytes);
        self.reckon_with(room as u64);
        self.route_all(&topic, batch.drain(..));
        let routed = count.saturating_sub(self.map_bound.waiting());
        if let Some(mean) = (self.bytes - before).checked_div(routed) {
            self.mean_bytes = mean.max(1);
        }
        self.batch = batch;
        if progress && self.unreadable.is_over() {
            tracing::info!(partition = %self.context.partition, "the partition is read again");
        }
        if let Poll::Ready(Err(error)) = polled {
            if self.unreadable.occurs(&error.0) {
                tracing::error!(partition = %self.context.partition, %error, "the partition cannot be read");
            }
            let mut timer = Box::pin(tokio::time::sleep(QUEUE_RETRY));
            // Polled once, so that it wakes this task.
            let _ = timer.as_mut().poll(cx);
            self.queue_retry = Some((timer, error.0));
            return true;
        }
        progress
    }

    fn route_all(
        &mut self,
        topic: &TopicPlan,
        mut records: impl ExactSizeIterator<Item = Q::Record>,
    ) {
        while let Some(record) = records.next() {
            let offset = record.offset();
            if !self.map_bound.is_sure(offset) && !self.passes_gap(offset, records.len() as u64) {
                let waiting = std::iter::once(record).chain(records);
                return self.map_bound.wait(waiting);
            }
            self.route(topic, record);
        }
    }

    fn route(&mut self, topic: &TopicPlan, mut record: Q::Record) {
        if record.offset() < self.ring.end() {
            return self.redelivered(record.offset());
        }
        let settings = &self.context.group.settings;
        let most = settings.record_bytes;
        let bytes = record.key().map_or(0, <[u8]>::len) + record.value().map_or(0, <[u8]>::len);
        let large = (bytes > most).then_some(EnvelopeError::Record { bytes, most });
        let route = match routing::route(topic, settings, &record, &mut self.window) {
            // A tombstone deletes a key from a compacted topic; it is no event.
            _ if record.value().is_none() => return self.skip(record.offset()),
            Routed::To(route) => match large {
                None => route,
                Some(fault) => return self.refuse(topic, &record, Some(route.event), fault),
            },
            Routed::Structured => match large {
                None => return self.open(topic, &record),
                Some(fault) => return self.refuse(topic, &record, None, fault),
            },
            Routed::Refused(event, fault) => return self.refuse(topic, &record, event, fault),
            Routed::ToNobody => return self.skip(record.offset()),
        };
        let plan = &topic.types[route.event];
        // Asked for while the headers are parsed.
        let mut size = record.size();
        if plan.keeps_headers {
            size += route.headers.bytes + route.headers.count * PARSED_HEADER;
        } else if !plan.keeps_cause {
            record.forget_headers();
        }
        let handlers = plan.handlers.iter().copied();
        let takers = Takers::OfType(route.event as u16);
        self.dispatch(
            topic,
            (route, size),
            (takers, handlers),
            record,
            RecordRef::Own,
            |record| Arc::new(SharedRecord::new(record)),
        );
    }

    /// A lane that has taken nothing for a while says so to its queue.
    pub(super) fn rest_if_full(&mut self) {
        if self.room() > 0 {
            self.took = Instant::now();
        } else if self.took.elapsed() >= REST {
            self.queue.rest();
        }
    }

    /// A record in structured mode. One whose envelope cannot be read goes to every handler of the topic, since each may be
    /// the one that wants it: they give it up.
    #[cold]
    fn open(&mut self, topic: &TopicPlan, record: &Q::Record) {
        let offset = record.offset();
        let Some(opened) = OpenedRecord::of(record) else {
            return self.skip(offset);
        };
        if opened.fault().is_some() {
            return self.dispatch_opened(topic, Route::UNKNOWN, None, opened);
        }
        let settings = &self.context.group.settings;
        match routing::route(topic, settings, &opened, &mut self.window) {
            Routed::To(route) => self.dispatch_opened(topic, route, Some(route.event), opened),
            Routed::Refused(event, fault) => self.refuse(topic, &opened, event, fault),
            Routed::Structured | Routed::ToNobody => self.skip(offset),
        }
    }

    /// A record beyond the bounds: the handlers of its type, or of the topic where its type is not known, give a copy of it up
    /// that has few headers, or no value.
    #[cold]
    fn refuse(
        &mut self,
        topic: &TopicPlan,
        record: &dyn RecordView,
        event: Option<usize>,
        fault: EnvelopeError,
    ) {
        let route = Route {
            event: event.unwrap_or(0),
            ..Route::UNKNOWN
        };
        let reduced = OpenedRecord::reduced(record, fault);
        self.dispatch_opened(topic, route, event, reduced);
    }

    /// To the handlers of `event`, or to all.
    fn dispatch_opened(
        &mut self,
        topic: &TopicPlan,
        route: Route,
        event: Option<usize>,
        record: OpenedRecord,
    ) {
        let (takers, handlers): (_, Vec<u16>) = match event {
            Some(event) => {
                let takers = Takers::OfType(event as u16);
                (takers, topic.types[event].handlers.clone())
            }
            None => (Takers::All, (0..topic.handlers.len() as u16).collect()),
        };
        let one = |record| RecordRef::Opened(Arc::new(record));
        let (takers, size) = ((takers, handlers.into_iter()), record.size());
        self.dispatch(topic, (route, size), takers, record, one, Arc::new);
    }

    /// The client hands records out again: it may go back to the beginning of a batch when a rebalance pauses the partition.
    /// What of them is open stays as it is, and what is done stays done (D2).
    #[cold]
    fn redelivered(&mut self, offset: i64) {
        self.redelivered += 1;
        if self.redelivery.occurs("redelivered") {
            tracing::warn!(
                group = self.context.group.group, partition = %self.context.partition, offset, expected = self.ring.end(),
                "the client delivers offsets again within this assignment: they are not handled a second time, up to the expected one"
            );
        }
    }

    fn skip(&mut self, offset: i64) {
        self.ring.skip(offset);
        self.skipped += 1;
    }

    /// Stages a record for the handlers that want it: as `one` where there is one, else as `shared`.
    fn dispatch<T: Record, S: Clone + Into<RecordRef<Q::Record>>>(
        &mut self,
        topic: &TopicPlan,
        (route, size): (Route, usize),
        (takers, mut handlers): (Takers, impl ExactSizeIterator<Item = u16>),
        record: T,
        one: impl FnOnce(T) -> RecordRef<Q::Record>,
        shared: impl FnOnce(T) -> S,
    ) {
        let offset = record.offset();
        let seq = self
            .ring
            .receive(offset, takers, u32::try_from(size).unwrap_or(u32::MAX));
        let event = route.event as u16;
        let known = route
            .identity
            .is_some_and(|identity| self.window.holds_or_remembers(identity, offset, event));
        let bearing = (route.identity, known);
        let alone = || key_hash::of_place(seq);
        let key = record.key().map_or_else(alone, key_hash::of_key);
        let work = |handler: usize, record| Work {
            record,
            seq,
            key: match topic.handlers[handler].ordering {
                Ordering::None => alone(),
                _ => key,
            },
            version: route.version,
            attempt: 1,
            event,
            lined_up: 0,
            buffers: None,
        };
        if handlers.len() == 1
            && let Some(handler) = handlers.next()
        {
            let handler = usize::from(handler);
            let first = match self.fate(seq, &record, (handler, &topic.handlers[handler]), bearing)
            {
                Fate::Needless => return,
                Fate::Take => None,
                Fate::Wait(first) => Some(first),
            };
            self.expect(seq, size, &[handler]);
            let mut work = work(handler, one(record));
            if topic.reads_headers && topic.types[route.event].keeps_cause {
                let mut buffers = self.outbox.take_buffers();
                buffers.keep_cause(&*work.record);
                work.record.forget_headers();
                work.buffers = Some(buffers);
            }
            self.stage(handler, work, first);
            return;
        }
        let mut wanting = Vec::with_capacity(handlers.len());
        let mut firsts = Vec::new();
        for handler in handlers.map(usize::from) {
            match self.fate(seq, &record, (handler, &topic.handlers[handler]), bearing) {
                Fate::Needless => continue,
                Fate::Take => {}
                Fate::Wait(first) => firsts.push((handler, first)),
            }
            wanting.push(handler);
        }
        if wanting.is_empty() {
            return;
        }
        self.expect(seq, size, &wanting);
        let record = shared(record);
        for handler in wanting {
            let record = record.clone().into();
            let mut firsts = firsts.iter();
            let first = firsts.find(|(waits, _)| *waits == handler);
            let first = first.map(|(_, first)| *first);
            self.stage(handler, work(handler, record), first);
        }
    }

    /// What becomes of a record for a handler. It needs not see one that it had done or parked before this assignment, nor a
    /// duplicate. A duplicate is done only when its first bearer is, and waits until then: were it done earlier, compaction
    /// could remove the first bearer, and nobody would handle the event.
    fn fate<T: Record>(
        &mut self,
        seq: u64,
        record: &T,
        (handler, plan): (usize, &HandlerPlan),
        (identity, known): (Option<Identity>, bool),
    ) -> Fate {
        let offset = record.offset();
        let identity = identity.filter(|_| plan.dedupe);
        let parked_before = self
            .lot
            .as_mut()
            .and_then(|lot| lot.copy_of(plan.hash, record));
        let done_before = match &self.resume {
            Some((map, end)) if offset < *end => map.is_done(plan.hash, offset),
            Some(_) => {
                self.resume = None;
                false
            }
            None => false,
        };
        if done_before || parked_before.is_some() {
            // One that waits stays the first bearer: a duplicate of it is done once that is durable.
            let bears = parked_before == Some(Copied::Waits);
            if let Some(identity) = identity.filter(|_| !known && !bears) {
                self.forget_bearer(identity, handler);
            }
            self.ring.mark(seq, handler);
            return Fate::Needless;
        }
        let Some(identity) = identity.filter(|_| known) else {
            return Fate::Take;
        };
        match self.bearing(identity, offset, handler) {
            Bearing::First => Fate::Take,
            Bearing::Done => {
                self.duplicates += 1;
                plan.meters.duplicates.add(1);
                self.ring.mark(seq, handler);
                Fate::Needless
            }
            Bearing::Waits(first) => {
                self.duplicates += 1;
                Fate::Wait(first)
            }
        }
    }

    fn expect(&mut self, seq: u64, size: usize, handlers: &[usize]) {
        self.ring.expect(seq, handlers.len() as u16);
        self.in_flight += 1;
        self.bytes += size;
        for handler in handlers {
            self.open[*handler] += 1;
        }
    }
}
