//! Consume by hand: on one thread, with a queue for each partition, or on two threads.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use events_core::Event;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer, DefaultConsumerContext};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::events::{Order, OrderPlaced, PlainOrder};
use crate::job::{Job, Variant, Work};
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::reading::Reading;
use crate::raw::window::Window;
use crate::raw::{POLL, consumer_config, subscribed};
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::TALLY;

/// Records taken from one partition queue before the next has its turn.
const TURN: usize = 256;

type Queue = PartitionQueue<DefaultConsumerContext>;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let topic = match job.work {
        Work::Bare => PlainOrder::DESCRIPTOR.topic,
        _ => OrderPlaced::DESCRIPTOR.topic,
    };
    let watch = {
        let job = job.clone();
        thread::spawn(move || measured::consumed(&job))
    };
    match job.variant {
        Variant::RawQueues => split(job, topic, 1)?,
        Variant::RawThreads => split(job, topic, 2)?,
        _ => one_thread(job, topic)?,
    }
    watch.join().ok().context("the watching thread failed")?
}

fn one_thread(job: &Job, topic: &'static str) -> Result<()> {
    let consumer = subscribed(job, topic)?;
    let mut hand = Hand::new(job, topic);
    while !TALLY.is_over() {
        match consumer.poll(POLL) {
            Some(message) => hand.take(&message?, &consumer)?,
            None => hand.offsets.store(&consumer)?,
        }
    }
    hand.offsets.store(&consumer)
}

/// A queue for each partition, shared out among `threads`.
fn split(job: &Job, topic: &'static str, threads: usize) -> Result<()> {
    let consumer: Arc<BaseConsumer> = Arc::new(consumer_config(job).create()?);
    let mut assignment = TopicPartitionList::new();
    let mut shares: Vec<Vec<Queue>> = (0..threads).map(|_| Vec::new()).collect();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset(topic, partition, Offset::Offset(0))?;
        // Split first: once assigned, early records would come on the main queue.
        let queue = consumer
            .split_partition_queue(topic, partition)
            .context("no queue for a partition")?;
        shares[partition as usize % threads].push(queue);
    }
    consumer.assign(&assignment)?;
    let workers: Vec<_> = shares
        .into_iter()
        .map(|queues| {
            let (consumer, hand) = (Arc::clone(&consumer), Hand::new(job, topic));
            thread::spawn(move || work(&queues, hand, &consumer))
        })
        .collect();
    while !TALLY.is_over() {
        ensure!(
            consumer.poll(POLL).is_none_or(|message| message.is_err()),
            "a record came on the main queue"
        );
    }
    for worker in workers {
        worker.join().ok().context("a worker failed")??;
    }
    Ok(())
}

fn work(queues: &[Queue], mut hand: Hand, consumer: &BaseConsumer) -> Result<()> {
    while !TALLY.is_over() {
        let mut idle = true;
        for queue in queues {
            for _ in 0..TURN {
                let Some(message) = queue.poll(Duration::ZERO) else {
                    break;
                };
                idle = false;
                hand.take(&message?, consumer)?;
            }
        }
        if idle {
            hand.offsets.store(consumer)?;
            thread::sleep(Duration::from_micros(200));
        }
    }
    hand.offsets.store(consumer)
}

/// The work on each record.
struct Hand {
    /// Whether headers count.
    routed: bool,
    windows: Vec<Window>,
    offsets: Offsets,
}

impl Hand {
    fn new(job: &Job, topic: &'static str) -> Self {
        let windows = (0..PARTITIONS).map(|_| Window::new()).collect();
        Self {
            routed: job.work != Work::Bare,
            windows,
            offsets: Offsets::of(topic),
        }
    }

    #[inline]
    fn take(&mut self, message: &BorrowedMessage<'_>, consumer: &BaseConsumer) -> Result<()> {
        let partition = message.partition();
        if !self.routed || self.is_wanted(message, partition) {
            let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
            TALLY.add(std::hint::black_box(&order).amount_cents);
        }
        if self.offsets.done(partition, message.offset() + 1) {
            self.offsets.store(consumer)?;
        }
        Ok(())
    }

    #[inline]
    fn is_wanted(&mut self, message: &BorrowedMessage<'_>, partition: i32) -> bool {
        let reading = Reading::of(message);
        if reading.event_type != Some(OrderPlaced::DESCRIPTOR.name.as_bytes()) {
            return false;
        }
        let version = reading
            .version
            .and_then(|text| std::str::from_utf8(text).ok()?.parse::<u32>().ok());
        std::hint::black_box(version);
        match (reading.source, reading.id) {
            (Some(source), Some(id)) => self.windows[partition as usize].is_new(source, id),
            _ => true,
        }
    }
}
