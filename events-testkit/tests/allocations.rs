//! Counts what the engine allocates for a record whose attempt is ready immediately.
//!
//! The transport here hands out records that exist already and answers at once, so that what is counted is the engine's and the
//! handler's own. A limit here is part of the engine's speed: raise one only with a measurement beside it.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Emissions, Outgoing, event, handler};
use events_runtime::{
    Group, Publish, PublishError, Queue, QueueError, Service, Ticket, TopicPartition, Written,
};
use events_testkit::{Received, eventually};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Records until every buffer and the dedupe window have their final size.
const WARM: usize = 60_000;
/// Records that are counted.
const COUNTED: usize = 20_000;
/// Different records of a topic: no id comes twice.
const DISTINCT: usize = WARM + COUNTED;

/// The allocations of a handler between two of its records.
struct Count {
    handled: AtomicUsize,
    begin: AtomicUsize,
    end: AtomicUsize,
}

impl Count {
    const fn new() -> Self {
        Self {
            handled: AtomicUsize::new(0),
            begin: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
        }
    }

    fn note(&self) {
        let stats = ALLOCATOR.stats();
        let now = stats.allocations + stats.reallocations;
        match self.handled.fetch_add(1, Ordering::Relaxed) + 1 {
            WARM => self.begin.store(now, Ordering::Relaxed),
            LAST => self.end.store(now, Ordering::Relaxed),
            _ => {}
        }
    }

    fn is_over(&self) -> bool {
        self.handled.load(Ordering::Relaxed) >= LAST
    }

    /// For each record.
    fn allocations(&self) -> f64 {
        let (begin, end) = (&self.begin, &self.end);
        let count = end.load(Ordering::Relaxed) - begin.load(Ordering::Relaxed);
        count as f64 / COUNTED as f64
    }
}

const LAST: usize = WARM + COUNTED;

#[event(topic = "counted-readings")]
struct Reading {
    celsius: i64,
}

#[event(topic = "counted-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[event(topic = "counted-payments", key = order_id)]
struct PaymentCaptured {
    order_id: String,
}

static READINGS: Count = Count::new();
static ORDERS: Count = Count::new();

#[handler(service = "counted-consumer")]
async fn consume(reading: Reading) {
    assert_eq!(reading.celsius, 21);
    READINGS.note();
}

/// Its own: the text that it takes and gives back.
#[handler(service = "counted-reactor")]
async fn react(order: OrderPlaced) -> PaymentCaptured {
    ORDERS.note();
    PaymentCaptured {
        order_id: order.order_id,
    }
}

/// Answers every record at once.
struct Answering(AtomicUsize);

impl Publish for Answering {
    fn enqueue(&self, _: &Arc<Outgoing>, ticket: Ticket) -> Result<(), (Ticket, PublishError)> {
        let written = Written {
            partition: 0,
            offset: self.0.fetch_add(1, Ordering::Relaxed) as i64,
        };
        ticket.complete(Ok(written));
        Ok(())
    }

    fn max_record_bytes(&self) -> usize {
        1_000_000
    }
}

/// Hands out the same records again and again, at new offsets.
struct Turning {
    records: Vec<Received>,
    next: usize,
    end: usize,
}

impl Queue for Turning {
    type Record = Received;

    fn poll_batch(
        &mut self,
        _: &mut Context<'_>,
        max: usize,
        into: &mut Vec<Received>,
    ) -> Poll<Result<(), QueueError>> {
        let until = self.end.min(self.next + max);
        if self.next == until {
            return Poll::Pending;
        }
        for offset in self.next..until {
            let mut record = self.records[offset % self.records.len()].clone();
            record.offset = offset as i64;
            into.push(record);
        }
        self.next = until;
        Poll::Ready(Ok(()))
    }
}

/// A record as a producer of events writes it.
fn received(topic: &'static str, event: &str, id: usize, emissions: &Emissions) -> Received {
    let emitted = emissions.iter().next().unwrap();
    let mut record = Outgoing::new(topic);
    record.set_key(format!("key-{}", id % 100).as_bytes());
    record.set_value(emitted.value);
    record
        .add_header("ce_specversion", "1.0")
        .add_header("ce_id", format!("0192e7a4-0000-7000-8000-{id:012}"))
        .add_header("ce_source", "shop")
        .add_header("ce_type", event)
        .add_header("ce_time", "2026-01-31T12:00:00.000Z")
        .add_header("content-type", "application/json");
    Received {
        topic: topic.into(),
        partition: 0,
        offset: 0,
        timestamp: 0,
        record: Arc::new(record),
    }
}

fn emissions<E: events_core::Event>(event: &E) -> Emissions {
    let mut emissions = Emissions::new();
    emissions.push(event).unwrap();
    emissions
}

/// Runs a service over its records, and answers how much was allocated for each.
async fn allocations(service: &str, records: Vec<Received>, count: &Count) -> f64 {
    // Nothing commits here, so no commit may be due.
    let service = Service::new(service).configure(|settings| settings.commit_records = 1_000_000);
    let plan = service.plan().unwrap().remove(0);
    let publish = Arc::new(Answering(AtomicUsize::new(0)));
    let group = Group::new(plan, publish, tokio::runtime::Handle::current());
    let partition = TopicPartition::new(records[0].record.topic.clone(), 0);
    let queue = Turning {
        records,
        next: 0,
        end: LAST,
    };
    group.assign(partition, queue, 0, "", None);
    eventually("all are handled", async || count.is_over()).await;
    let revoked = group.shutdown(Duration::from_secs(5)).await;
    assert!(revoked.report.drained);
    assert_eq!(revoked.positions[0].1.watermark, LAST as i64);
    count.allocations()
}

/// One test, since the counter is the process's: a second would be counted too.
#[tokio::test(start_paused = true)]
async fn a_record_on_the_ready_path_costs_as_few_allocations_as_are_promised() {
    let readings = (0..DISTINCT).map(|id| {
        let event = emissions(&Reading { celsius: 21 });
        received("counted-readings", "Reading", id, &event)
    });
    let consume = allocations("counted-consumer", readings.collect(), &READINGS).await;
    let orders = (0..DISTINCT).map(|id| {
        let order_id = format!("order-{id:09}");
        let event = emissions(&OrderPlaced { order_id });
        received("counted-orders", "OrderPlaced", id, &event)
    });
    let react = allocations("counted-reactor", orders.collect(), &ORDERS).await;
    eprintln!("consume {consume}, react {react}");
    assert!(consume < 0.01, "{consume} for each record consumed");
    // The one is the text that the handler takes and gives back.
    assert!(react < 1.01, "{react} for each record reacted to");
}
