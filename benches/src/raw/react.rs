//! Consume and publish by hand, pipelined: an offset is stored once what was published for it is acknowledged. Nothing is
//! done beyond that: no duplicates are looked for, and an id is what is cheapest to write and is not written twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use events_core::Event;
use rdkafka::client::ClientContext;
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::ends::Ends;
use crate::events::{Order, OrderPlaced, PaymentCaptured};
use crate::job::{Job, Variant};
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::pending::Pending;
use crate::raw::reaction::Reaction;
use crate::raw::reading::Reading;
use crate::raw::{POLL, producer_config, subscribed};
use crate::sample::Sample;
use crate::settings::{PARTITIONS, REACTION_LINGER};
use crate::tally::TALLY;

/// Records between two looks at the acknowledgements.
const TURN: u32 = 256;
/// Records published and not acknowledged.
const LIMIT: usize = 80_000;

/// Numbers of acknowledged records, as they travelled through the client.
#[derive(Default)]
pub(super) struct Acks {
    done: Mutex<Vec<usize>>,
    refused: AtomicBool,
}

impl ClientContext for Acks {}

impl ProducerContext for Acks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        match result {
            Ok(_) => self
                .done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(number),
            Err(_) => self.refused.store(true, Ordering::Relaxed),
        }
    }
}

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let ends = Ends::of(&job.address, PaymentCaptured::DESCRIPTOR.topic)?;
    let watched = job.clone();
    let watch = thread::spawn(move || measured::reacted(&watched, &ends));
    react(job, OrderPlaced::DESCRIPTOR)?;
    watch.join().ok().context("the watching thread failed")?
}

/// Reacts to the events of a topic until the run is over.
pub(super) fn react(job: &Job, event: &'static events_core::EventDescriptor) -> Result<()> {
    let producer: Arc<BaseProducer<Acks>> =
        Arc::new(producer_config(job, REACTION_LINGER).create_with_context(Acks::default())?);
    let threaded = job.variant == Variant::RawThreads;
    let polling = threaded.then(|| {
        let producer = Arc::clone(&producer);
        thread::spawn(move || {
            while !TALLY.is_over() {
                producer.poll(POLL);
            }
        })
    });
    let consumer = subscribed(job, event.topic)?;
    let mut hand = Hand {
        producer,
        threaded,
        event: event.name.as_bytes(),
        pending: (0..PARTITIONS).map(|_| Pending::default()).collect(),
        offsets: Offsets::of(event.topic),
        reaction: Reaction::of(&job.group),
        acks: Vec::new(),
        under_way: 0,
    };
    hand.run(&consumer)?;
    if let Some(polling) = polling {
        polling
            .join()
            .ok()
            .context("the producer's thread failed")?;
    }
    Ok(())
}

/// The work on each record.
struct Hand {
    producer: Arc<BaseProducer<Acks>>,
    /// Whether somebody else polls the producer.
    threaded: bool,
    event: &'static [u8],
    pending: Vec<Pending>,
    offsets: Offsets,
    reaction: Reaction,
    acks: Vec<usize>,
    under_way: usize,
}

impl Hand {
    fn run(&mut self, consumer: &BaseConsumer) -> Result<()> {
        let mut since = 0;
        while !TALLY.is_over() {
            // While answers are awaited, they are looked for as soon as nothing else is to be done.
            let wait = if self.under_way > 0 {
                Duration::from_millis(1)
            } else {
                POLL
            };
            match consumer.poll(wait) {
                Some(message) => {
                    self.take(&message?, consumer)?;
                    since += 1;
                }
                None => since = TURN,
            }
            if since >= TURN {
                since = 0;
                self.settle(consumer, Duration::ZERO)?;
                while self.under_way > LIMIT {
                    self.settle(consumer, Duration::from_millis(1))?;
                }
            }
        }
        self.offsets.store(consumer)
    }

    fn take(&mut self, message: &BorrowedMessage<'_>, consumer: &BaseConsumer) -> Result<()> {
        let partition = message.partition();
        let number = self.pending[partition as usize].receive(message.offset());
        let reading = Reading::of(message);
        if reading.event_type != Some(self.event) {
            return self.done(partition, number, consumer);
        }
        let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
        TALLY.add(order.amount_cents);
        self.under_way += 1;
        // A partition has fewer records than 2^48.
        self.reaction.send(
            &self.producer,
            message,
            &reading,
            order,
            (partition as usize) << 48 | number as usize,
        )
    }

    /// Looks for answers, and stores what is done.
    fn settle(&mut self, consumer: &BaseConsumer, wait: Duration) -> Result<()> {
        if self.threaded {
            thread::sleep(wait);
        } else {
            self.producer.poll(wait);
        }
        let context = self.producer.context();
        if context.refused.load(Ordering::Relaxed) {
            bail!("the broker refused an event");
        }
        let mut acks = std::mem::take(&mut self.acks);
        std::mem::swap(
            &mut *context.done.lock().unwrap_or_else(PoisonError::into_inner),
            &mut acks,
        );
        self.under_way -= acks.len();
        for ack in acks.drain(..) {
            self.done((ack >> 48) as i32, (ack & ((1 << 48) - 1)) as u64, consumer)?;
        }
        self.acks = acks;
        Ok(())
    }

    fn done(&mut self, partition: i32, number: u64, consumer: &BaseConsumer) -> Result<()> {
        if let Some(next) = self.pending[partition as usize].done(number)
            && self.offsets.done(partition, next)
        {
            self.offsets.store(consumer)?;
        }
        Ok(())
    }
}
