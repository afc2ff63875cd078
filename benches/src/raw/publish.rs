//! Publish many events by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use events_core::{Event, KeyPart, edge_id, header, time_now};
use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::events::{Order, OrderImported};
use crate::job::Job;
use crate::measured;
use crate::raw::producer_config;
use crate::sample::Sample;
use crate::settings::EDGE_LINGER;
use crate::tally::Moment;

/// Events between two looks at the acknowledgements; they are stamped with one time.
const TURN: u64 = 100;
/// Events under way: about as many as the framework's bound of 64 MiB lets through.
const LIMIT: i32 = 50_000;
const FLUSH: Duration = Duration::from_secs(60);

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

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let producer: BaseProducer<Written> =
        producer_config(job, EDGE_LINGER).create_with_context(Written::default())?;
    let (mut value, mut time) = (Vec::new(), time_now());
    // Connections are made before the clock starts.
    send(&producer, &job.group, 0, &time, &mut value)?;
    producer.flush(FLUSH)?;
    let first = Moment::now();
    for index in 0..job.records {
        if index % TURN == 0 {
            time = time_now();
            producer.poll(Duration::ZERO);
            while producer.in_flight_count() > LIMIT {
                producer.poll(Duration::from_millis(1));
            }
        }
        send(&producer, &job.group, index, &time, &mut value)?;
    }
    producer.flush(FLUSH)?;
    let sample = measured::since(first, job.records);
    let written = producer.context().0.load(Ordering::Relaxed) - 1;
    ensure!(
        written == job.records,
        "{written} of {} events were written",
        job.records
    );
    Ok(sample)
}

fn send(
    producer: &BaseProducer<Written>,
    source: &str,
    index: u64,
    time: &str,
    value: &mut Vec<u8>,
) -> Result<()> {
    let order = Order::numbered(index);
    value.clear();
    serde_json::to_writer(&mut *value, &order)?;
    let event = OrderImported::DESCRIPTOR;
    let mut digits = [0; 36];
    let id: &str = edge_id().hyphenated().encode_lower(&mut digits);
    let headers = [
        (header::SPEC_VERSION, "1.0"),
        (header::ID, id),
        (header::SOURCE, source),
        (header::TYPE, event.name),
        (header::TIME, time),
        (header::CONTENT_TYPE, event.content_type),
        (header::CORRELATION_ID, id),
    ];
    let mut owned = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in headers {
        owned = owned.insert(Header {
            key,
            value: Some(value),
        });
    }
    let key = order.key_part();
    let record: BaseRecord<'_, str, [u8]> = BaseRecord::to(event.topic)
        .key(&*key)
        .payload(value.as_slice())
        .headers(owned);
    producer.send(record).map_err(|(error, _)| error)?;
    Ok(())
}
