//! Publish and handle at a low rate by hand: a thread that publishes, one that handles, one that serves the producer.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use events_core::{Emissions, Envelope, Event, edge_id, time_now};
use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};

use crate::arrivals::{ARRIVALS, due, total};
use crate::events::Ping;
use crate::job::Job;
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::reading::Reading;
use crate::raw::window::Window;
use crate::raw::{POLL, outgoing, producer_config, subscribed};
use crate::sample::Sample;
use crate::settings::{EDGE_LINGER, PARTITIONS};
use crate::tally::{Moment, TALLY};

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let handling = {
        let job = job.clone();
        thread::spawn(move || handle(&job))
    };
    let sample = publish(job);
    TALLY.end();
    handling
        .join()
        .ok()
        .context("the handling thread failed")??;
    sample
}

fn handle(job: &Job) -> Result<()> {
    let topic = Ping::DESCRIPTOR.topic;
    let consumer = subscribed(job, topic)?;
    let mut offsets = Offsets::of(topic);
    let mut windows: Vec<_> = (0..PARTITIONS).map(|_| Window::new()).collect();
    while !TALLY.is_over() {
        if consumer.assignment()?.count() == PARTITIONS as usize {
            TALLY.add(0);
            break;
        }
        consumer.poll(POLL);
    }
    while !TALLY.is_over() {
        let Some(message) = consumer.poll(POLL) else {
            offsets.store(&consumer)?;
            continue;
        };
        let message = message?;
        let reading = Reading::of(&message);
        if let (Some(source), Some(id)) = (reading.source, reading.id) {
            std::hint::black_box(windows[message.partition() as usize].is_new(source, id));
        }
        let ping: Ping = serde_json::from_slice(message.payload().unwrap_or_default())?;
        ARRIVALS.note(&job.group, &ping);
        offsets.done(message.partition(), message.offset() + 1);
    }
    Ok(())
}

fn publish(job: &Job) -> Result<Sample> {
    let producer: Arc<BaseProducer> = Arc::new(producer_config(job, EDGE_LINGER).create()?);
    let polling = {
        let producer = Arc::clone(&producer);
        thread::spawn(move || {
            while !TALLY.is_over() {
                producer.poll(POLL);
            }
        })
    };
    // The handling thread says so once it has its partitions.
    TALLY.wait(1)?;
    let (begun, first) = (Instant::now(), Moment::now());
    let mut emissions = Emissions::new();
    for number in 0..total(job) {
        thread::sleep(due(begun, job, number).saturating_duration_since(Instant::now()));
        emissions.clear();
        emissions.push(&ARRIVALS.ping(&job.group, number))?;
        let (id, time) = (edge_id().to_string(), time_now());
        let envelope = Envelope {
            id: &id,
            source: &job.group,
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
    let latency = ARRIVALS.latency(job);
    let sample = measured::since(first, total(job));
    TALLY.end();
    polling
        .join()
        .ok()
        .context("the producer's thread failed")?;
    producer.flush(POLL)?;
    Ok(Sample {
        latency: Some(latency?),
        ..sample
    })
}
