//! Fills a topic as fast as the client can.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use events_core::{Emissions, Envelope, Event, edge_id, time_now};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::raw::outgoing;

/// Events stamped with one time.
const BATCH: u64 = 1_000;
const FLUSH: Duration = Duration::from_secs(120);

/// Counts what the broker has taken.
#[derive(Default)]
struct Written(AtomicU64);

impl ClientContext for Written {}

impl ProducerContext for Written {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_ok() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the events numbered from 0 to `records`, with the headers that the framework's own producer writes.
pub(crate) fn fill<E: Event>(address: &str, records: u64, event: impl Fn(u64) -> E) -> Result<()> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        // One key has one partition, as the framework's producer has it.
        .set("partitioner", "murmur2_random")
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("queue.buffering.max.messages", "0");
    let producer: BaseProducer<Written> = config.create_with_context(Written::default())?;
    let mut emissions = Emissions::new();
    let mut time = String::new();
    for index in 0..records {
        if index % BATCH == 0 {
            time = time_now();
            producer.poll(Duration::ZERO);
            while producer.in_flight_count() > 200_000 {
                producer.poll(Duration::from_millis(5));
            }
        }
        emissions.clear();
        emissions.push(&event(index))?;
        let id = edge_id().to_string();
        let envelope = Envelope {
            id: &id,
            source: "bench-shop",
            time: &time,
            correlation_id: &id,
            causation_id: None,
            hops: 0,
            trace_parent: None,
            trace_state: None,
        };
        for emitted in emissions.iter() {
            outgoing::send(&producer, &envelope.record(emitted), ())?;
        }
    }
    producer.flush(FLUSH)?;
    let written = producer.context().0.load(Ordering::Relaxed);
    ensure!(
        written == records,
        "the broker took {written} of {records} records"
    );
    Ok(())
}
