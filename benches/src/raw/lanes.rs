//! A handler that waits a millisecond, in lanes by hand: 512 tasks for all partitions. What the keys look like is known
//! here, so each task has as many of them as any other.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use events_core::Event;
use rdkafka::message::{BorrowedMessage, Message};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::events::{JobQueued, Order};
use crate::job::Job;
use crate::measured;
use crate::raw::offsets::Offsets;
use crate::raw::pending::Pending;
use crate::raw::subscribed;
use crate::sample::Sample;
use crate::settings::{PARTITIONS, WAIT};
use crate::tally::TALLY;

/// As many as the framework has slots by default: 64 for each partition.
const LANES: usize = 512;

/// A record on its way to its lane: partition, number in it, and what it says.
type Item = (usize, u64, Order);
/// What lanes have done: partition and number.
type Done = Arc<Mutex<Vec<(usize, u64)>>>;

pub(crate) fn run(job: &Job) -> Result<Sample> {
    let watched = job.clone();
    let watch = thread::spawn(move || measured::consumed(&watched));
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let done = Done::default();
    let mut hand = Hand {
        lanes: (0..LANES)
            .map(|_| {
                let (sender, receiver) = unbounded_channel();
                tokio.spawn(work(receiver, Arc::clone(&done)));
                sender
            })
            .collect(),
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

async fn work(mut inbox: UnboundedReceiver<Item>, done: Done) {
    while let Some((partition, number, order)) = inbox.recv().await {
        tokio::time::sleep(WAIT).await;
        TALLY.add(order.amount_cents);
        done.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((partition, number));
    }
}

struct Hand {
    lanes: Vec<UnboundedSender<Item>>,
    pending: Vec<Pending>,
}

impl Hand {
    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<()> {
        let partition = message.partition() as usize;
        let number = self.pending[partition].receive(message.offset());
        let order: Order = serde_json::from_slice(message.payload().unwrap_or_default())?;
        let digits = message.key().unwrap_or_default();
        let digits = digits.iter().filter(|byte| byte.is_ascii_digit());
        let key = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
        let sent = self.lanes[key % LANES].send((partition, number, order));
        sent.ok().context("a lane has ended")
    }
}
