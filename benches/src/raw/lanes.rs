//! A handler that waits a millisecond, in lanes by hand: a task for each of 64 slots of each partition, chosen by key.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use events_core::Event;
use rdkafka::message::{BorrowedMessage, Message};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use xxhash_rust::xxh3::xxh3_64;

use crate::events::{JobQueued, Order};
use crate::job::Job;
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::pending::Pending;
use crate::raw::reading::Reading;
use crate::raw::subscribed;
use crate::raw::window::Window;
use crate::sample::Sample;
use crate::settings::{PARTITIONS, WAIT};
use crate::tally::TALLY;

/// Slots of a partition: as many as the framework has by default.
const SLOTS: usize = 64;

/// A record on its way to its slot.
type Item = (u64, Order);
/// What slots have done: partition and number.
type Done = Arc<Mutex<Vec<(usize, u64)>>>;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    let watch = thread::spawn(move || measured::consumed(&watched));
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let done = Done::default();
    let mut hand = Hand {
        slots: (0..PARTITIONS as usize * SLOTS)
            .map(|slot| {
                let (sender, receiver) = unbounded_channel();
                tokio.spawn(work(slot / SLOTS, receiver, Arc::clone(&done)));
                sender
            })
            .collect(),
        windows: (0..PARTITIONS).map(|_| Window::new()).collect(),
        pending: (0..PARTITIONS).map(|_| Pending::default()).collect(),
    };
    let topic = JobQueued::DESCRIPTOR.topic;
    let consumer = subscribed(job, topic)?;
    let mut offsets = Offsets::of(topic);
    while !TALLY.is_over() {
        if let Some(message) = consumer.poll(WAIT) {
            hand.take(&message?)?;
        }
        let finished = std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner));
        for (partition, number) in finished {
            if let Some(next) = hand.pending[partition].done(number)
                && offsets.done(partition as i32, next)
            {
                offsets.store(&consumer)?;
            }
        }
    }
    watch.join().ok().context("the watching thread failed")?
}

async fn work(partition: usize, mut inbox: UnboundedReceiver<Item>, done: Done) {
    while let Some((number, order)) = inbox.recv().await {
        tokio::time::sleep(WAIT).await;
        TALLY.add(order.amount_cents);
        done.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((partition, number));
    }
}

struct Hand {
    slots: Vec<UnboundedSender<Item>>,
    windows: Vec<Window>,
    pending: Vec<Pending>,
}

impl Hand {
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<()> {
        let partition = message.partition() as usize;
        let number = self.pending[partition].receive(message.offset());
        let reading = Reading::of(message);
        if let (Some(source), Some(id)) = (reading.source, reading.id) {
            // The topic holds no duplicates; the look costs what it costs.
            std::hint::black_box(self.windows[partition].is_new(source, id));
        }
        let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
        let slot = xxh3_64(message.key().unwrap_or_default()) as usize % SLOTS;
        let sent = self.slots[partition * SLOTS + slot].send((number, order));
        sent.ok().context("a slot has ended")
    }
}
