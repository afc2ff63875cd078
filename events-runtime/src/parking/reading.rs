//! From a record of the parked log to a fact, with the eyes of a lane's plan.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Ordering, Outgoing, RecordView, stable_hash};

use crate::header_bounds::HeaderSize;
use crate::key_hash;
use crate::lane::context::key_text;
use crate::opened::{LeftOut, OpenedRecord};
use crate::parking::fact::{Head, brief, copy_own, headers};
use crate::parking::ledger::{
    Claim, FORGED, Fact, Identity, Item, Order, Pair, REFUSED, Standing, Token, shown,
};
use crate::parking::lot::Lot;
use crate::parking::print;
use crate::parking::record::{ParkedRecord, ParkedRoute};
use crate::parking::weight;
use crate::routing::{self, Routed};
use crate::transport::Queue;

/// How long to wait before a parked log that cannot be read is asked again.
const QUEUE_RETRY: Duration = Duration::from_millis(500);

/// The key of a record that parks alone.
pub(crate) fn alone(origin: i64) -> u64 {
    key_hash::of_place(origin.cast_unsigned())
}

const NO_PLACE: &str = "it does not say which record it is about";

impl<Q: Queue> Lot<Q> {
    pub(super) fn read(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some((timer, _)) = &mut self.retry {
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.retry = None;
        }
        if let Some(reason) = self.overflow() {
            if self.overflowing.occurs("overflow") {
                tracing::error!(
                    partition = %self.lane.partition, parked = self.parked.topic,
                    records = self.ledger.len(), bytes = self.ledger.bytes(), reason,
                    "the parked log is read no further"
                );
            }
            self.wait_for_log(cx, reason);
            return false;
        }
        // Also beyond the bound: behind what waits there may be orders about it. The lane takes no records from its source
        // then, and a command line asks for no redrives beyond the bound.
        let mut batch = std::mem::take(&mut self.batch);
        let polled = self
            .queue
            .poll_batch(cx, self.lane.group.settings.batch, &mut batch);
        let progress = !batch.is_empty();
        for record in batch.drain(..) {
            self.understand(&record);
        }
        self.batch = batch;
        if progress && self.unreadable.is_over() {
            tracing::info!(partition = %self.lane.partition, parked = self.parked.topic, "the parked log is read again");
        }
        if let Poll::Ready(Err(error)) = polled {
            if self.unreadable.occurs(&error.0) {
                tracing::error!(partition = %self.lane.partition, parked = self.parked.topic, %error, "the parked log cannot be read");
            }
            self.wait_for_log(cx, error.0);
            return true;
        }
        progress
    }

    fn wait_for_log(&mut self, cx: &mut Context<'_>, reason: String) {
        let mut timer = Box::pin(tokio::time::sleep(QUEUE_RETRY));
        // Polled once, so that it wakes this task.
        let _ = timer.as_mut().poll(cx);
        self.retry = Some((timer, reason));
    }

    fn understand(&mut self, record: &Q::Record) {
        let offset = record.offset();
        if offset < self.ledger.position() {
            // The client delivers it a second time: it counts already.
            return;
        }
        let before = self.ledger.standing().clone();
        let read = match self.fact(record) {
            Ok(fact) => self.ledger.read(offset, fact),
            Err(reason) => {
                self.ledger.skip(offset);
                Err(reason)
            }
        };
        match read {
            Ok(None) => self.tell_wish(record),
            Ok(Some(pair)) => {
                if self.ledger.has_open(pair) {
                    self.parked.with(|pairs| pairs.park(pair));
                } else {
                    self.free.push(pair);
                }
                self.recount(pair);
            }
            Err(REFUSED) => self.tell_refusal(record),
            Err(FORGED) => self.tell_forgery(record),
            Err(reason) => {
                tracing::info!(partition = %self.lane.partition, parked = self.parked.topic, offset, reason, "a parked record does not count");
            }
        }
        let standing = self.ledger.standing();
        if before != *standing {
            if *standing == Standing::Claiming {
                self.claim_anew();
            }
            self.tell_standing();
        }
    }

    /// Says that somebody asked for an attempt: what was asked for otherwise is told once it is done.
    fn tell_wish(&self, record: &Q::Record) {
        let head = Head::read(headers(record));
        // Whoever reads the log again does not tell it again.
        if head.action == Some("retry-now") && *self.ledger.standing() == Standing::Owner {
            tracing::info!(
                partition = %self.lane.partition, handler = head.handler.unwrap_or_default(), key = key_text(record), by = head.audit(),
                "a parked key is tried at once, since somebody asked for it"
            );
        }
    }

    /// Says that somebody else writes to the parked log, once in a while.
    fn tell_forgery(&mut self, record: &Q::Record) {
        if self.forging.occurs(FORGED) {
            let number = Head::read(headers(record)).generation.unwrap_or_default();
            tracing::warn!(
                partition = %self.lane.partition, parked = self.parked.topic, offset = record.offset(), generation = shown(number),
                "a claim in the parked log does not count: no member of the group can have made it, so somebody else writes to that topic, which is control of the service. Allow Write on it to the service and its operators alone"
            );
        }
    }

    fn tell_standing(&self) {
        let partition = &self.lane.partition;
        match self.ledger.standing() {
            Standing::Owner => {
                tracing::info!(%partition, records = self.ledger.len(), keys = self.ledger.pairs(), "the parked log is claimed");
                let unknown = self
                    .ledger
                    .open()
                    .find(|(_, open)| open.payload.route.is_none());
                if let Some((_, open)) = unknown {
                    tracing::warn!(%partition, handler = %open.payload.handler, "records are parked that no handler of this build runs; discard them with `parked discard`, or deploy a build that has the handler");
                }
            }
            Standing::Fenced(generation) => {
                tracing::error!(%partition, generation = shown(*generation), "another member has claimed the parked log: this lane takes no further records");
            }
            Standing::Outranked(generation) => {
                let parked = &self.parked.topic;
                tracing::warn!(%partition, generation = shown(*generation), parked, "a claim of a later generation stands in the parked log: this lane takes no records until the group's coordinator has told that this member owns the partition");
            }
            Standing::Claiming => {
                tracing::info!(%partition, "the parked log is claimed again, as its earlier claim counts no more");
            }
        }
    }

    /// Where the record stands that an action is about. It must be the one that the action names: a
    /// parked topic that was deleted and made again gives its offsets a second time.
    fn place(&self, head: &Head<'_>) -> Result<i64, &'static str> {
        let at = head.at.ok_or(NO_PLACE)?;
        let Some(open) = self.ledger.get(at) else {
            return Ok(at);
        };
        let record = &open.payload;
        let is_other = head.handler.is_some_and(|name| *name != *record.handler)
            || head
                .partition
                .is_some_and(|named| named != record.partition)
            || head.offset.is_some_and(|offset| offset != record.offset);
        match is_other {
            true => Err("an action about another record than the one that stands there"),
            false => Ok(at),
        }
    }

    fn fact(&mut self, record: &Q::Record) -> Result<Fact<Arc<ParkedRecord>>, &'static str> {
        const NO_TOKEN: &str = "it has no token";
        let head = Head::read(headers(record));
        let token = || head.token.map(Token::from).ok_or(NO_TOKEN);
        let at = || head.at.ok_or(NO_PLACE);
        match (head.fact, head.action) {
            ("claim", _) => Ok(Fact::Claim(Claim {
                generation: head.generation.ok_or("it has no generation")?,
                token: token()?,
            })),
            ("parked", _) => {
                let origin = head.offset.ok_or("it does not say where it came from")?;
                Ok(Fact::Parked(
                    token()?,
                    self.item(record, &head, Some(origin))?,
                ))
            }
            ("failed", _) => Ok(Fact::Failed {
                token: token()?,
                at: at()?,
                attempts: head.attempts.unwrap_or(0),
                next: head.next.unwrap_or(0),
                error: brief(head.error.unwrap_or_default()).to_owned(),
            }),
            ("done", _) => Ok(Fact::Done {
                token: token()?,
                at: at()?,
            }),
            ("action", Some("redrive")) => Ok(Fact::Redrive(self.item(record, &head, None)?)),
            ("action", Some("retry-now")) => Ok(Fact::RetryNow(self.pair(record, &head)?)),
            ("action", Some("take-over")) => Ok(Fact::TakeOver { token: token()? }),
            ("action", Some("skip-head")) => Ok(Fact::Order {
                at: self.place(&head)?,
                order: Order::Skip(head.audit()),
            }),
            ("action", Some("discard")) => Ok(Fact::Order {
                at: self.place(&head)?,
                order: Order::Discard(head.audit()),
            }),
            _ => Err("it is no fact that this build knows"),
        }
    }

    fn pair(&self, record: &Q::Record, head: &Head<'_>) -> Result<Pair, &'static str> {
        if head.at.is_some()
            && let Some(open) = self.ledger.get(self.place(head)?)
        {
            return Ok(open.pair);
        }
        let handler = head.handler.ok_or("it names no handler")?;
        let key = record.key().ok_or("it names no key")?;
        Ok(Pair {
            handler: stable_hash(handler),
            key: key_hash::of_key(key),
        })
    }

    fn item(
        &mut self,
        record: &Q::Record,
        head: &Head<'_>,
        origin: Option<i64>,
    ) -> Result<Item<Arc<ParkedRecord>>, &'static str> {
        let name = head.handler.ok_or("it names no handler")?;
        let lane = Arc::clone(&self.lane);
        let handlers = &lane.topic.handlers;
        let place = handlers
            .iter()
            .position(|handler| handler.stable_name == name);
        let handler = place.map_or_else(|| stable_hash(name), |place| handlers[place].hash);
        let identity = match origin {
            Some(origin) => Identity::Origin(handler, origin, print::of_fact(record)),
            None => {
                let id = head.redrive.ok_or("it does not say which dead letter")?;
                Identity::Redrive(id.into())
            }
        };
        let ordered = place.is_none_or(|place| handlers[place].ordering == Ordering::Key);
        let key = match record.key() {
            Some(key) if ordered => key_hash::of_key(key),
            _ => alone(origin.unwrap_or_else(|| record.offset())),
        };
        let mut own = Outgoing::new("");
        copy_own(record, &mut own);
        if let Some(timestamp) = head.timestamp {
            own.timestamp = (timestamp >= 0).then_some(timestamp);
        }
        let mut parked = ParkedRecord {
            topic: Arc::clone(&self.source),
            partition: head.partition.unwrap_or(lane.partition.partition),
            offset: head.offset.unwrap_or(-1),
            record: own,
            fault: None,
            left_out: LeftOut::default(),
            handler: place.map_or_else(|| name.into(), |place| Arc::clone(&self.names[place])),
            route: None,
            attempts: head.attempts.unwrap_or(0),
            since: head.since.or(record.timestamp()).unwrap_or(0),
            redrive: match &identity {
                Identity::Redrive(id) => Some(Arc::clone(id)),
                Identity::Origin(..) => None,
            },
        };
        let headers = HeaderSize::of(&parked);
        if let Some(fault) = headers.fault(&lane.group.settings) {
            let reduced = OpenedRecord::reduced(&parked, fault);
            parked.left_out = reduced.left_out();
            (parked.record, parked.fault) = reduced.into_parts();
        }
        // Parked records are in binary mode, but for one that was redriven.
        if parked.fault.is_none()
            && let Some(opened) = OpenedRecord::of(&parked)
        {
            (parked.record, parked.fault) = opened.into_parts();
        }
        parked.route = place.and_then(|handler| {
            if parked.fault.is_some() {
                return Some(ParkedRoute {
                    handler,
                    event: 0,
                    version: 1,
                });
            }
            let Routed::To(route) =
                routing::route(&lane.topic, &lane.group.settings, &parked, &mut self.window)
            else {
                return None;
            };
            let taken = &lane.topic.types[route.event].handlers;
            taken
                .iter()
                .any(|taker| usize::from(*taker) == handler)
                .then_some(ParkedRoute {
                    handler,
                    event: route.event as u16,
                    version: route.version,
                })
        });
        Ok(Item {
            identity,
            pair: Pair { handler, key },
            redriven: head.offset.filter(|_| origin.is_none()),
            runnable: parked.route.is_some(),
            attempts: parked.attempts,
            next: head.next.unwrap_or(i64::MIN),
            error: head.error.map(|error| brief(error).to_owned()),
            size: weight::of(&parked.record, head),
            payload: Arc::new(parked),
        })
    }
}
