//! Who waits for the broker's answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events_runtime::{PublishError, Written};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use tokio::sync::{Semaphore, oneshot};

use super::batch::Batch;
use crate::client_log;
use crate::sink::{classify, naming};

/// How one publish ended.
pub(super) type Outcome = Result<Written, PublishError>;

/// What a record counts for beside its key and value: headers and the client's own bookkeeping, in bytes.
const OVERHEAD: usize = 1024;

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "events-kafka needs pointers of 64 bits: an event's place in its batch travels through the client in one"
);

/// Bytes under way, bounded, and who waits for answers.
pub(super) struct Deliveries {
    /// Bytes that may still be enqueued.
    pub(super) room: Semaphore,
    /// All of them.
    pub(super) total: u32,
    waiting: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    entries: Vec<Option<Waiting>>,
    free: Vec<u32>,
}

enum Waiting {
    One(oneshot::Sender<Outcome>),
    Many(Arc<Batch>),
}

/// What the client carries along with a record: a slot and, for a batch, the event's index in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag {
    slot: u32,
    index: u32,
}

impl Tag {
    pub(super) fn pack(self) -> usize {
        (self.slot as usize) << 32 | self.index as usize
    }

    fn unpack(packed: usize) -> Self {
        Self {
            slot: (packed >> 32) as u32,
            index: packed as u32,
        }
    }

    /// The same slot, another event.
    pub(super) fn at(self, index: u32) -> Self {
        Self { index, ..self }
    }
}

impl Deliveries {
    pub(super) fn new(bytes: usize) -> Self {
        // More than 4 GiB under way is no bound.
        let total = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        Self {
            room: Semaphore::new(total as usize),
            total,
            waiting: Mutex::default(),
        }
    }

    /// What a record counts for. One that is larger than all the room takes all of it.
    pub(super) fn cost(&self, key: usize, value: usize) -> u32 {
        u32::try_from(key + value + OVERHEAD).map_or(self.total, |cost| cost.min(self.total))
    }

    /// A slot for one event.
    pub(super) fn expect_one(&self) -> (Tag, oneshot::Receiver<Outcome>) {
        let (sender, receiver) = oneshot::channel();
        (self.insert(Waiting::One(sender)), receiver)
    }

    /// A slot for many events.
    pub(super) fn expect_many(&self, batch: &Arc<Batch>) -> Tag {
        self.insert(Waiting::Many(Arc::clone(batch)))
    }

    /// Frees a slot that nothing is expected for any more.
    pub(super) fn forget(&self, tag: Tag) {
        self.slots().take(tag.slot);
    }

    fn insert(&self, waiting: Waiting) -> Tag {
        let mut slots = self.slots();
        if let Some(slot) = slots.free.pop() {
            slots.entries[slot as usize] = Some(waiting);
            return Tag { slot, index: 0 };
        }
        slots.entries.push(Some(waiting));
        // Each slot stands for an enqueued record of 1 KiB at least, of 4 GiB at most.
        Tag {
            slot: (slots.entries.len() - 1) as u32,
            index: 0,
        }
    }

    fn answer(&self, tag: Tag, cost: u32, outcome: Outcome) {
        let mut slots = self.slots();
        match slots.entries.get(tag.slot as usize) {
            Some(Some(Waiting::Many(batch))) => {
                let batch = Arc::clone(batch);
                drop(slots);
                if batch.answer(tag.index, cost, outcome, &self.room) {
                    self.forget(tag);
                }
            }
            Some(Some(Waiting::One(_))) => {
                let one = slots.take(tag.slot);
                drop(slots);
                self.room.add_permits(cost as usize);
                if let Some(Waiting::One(sender)) = one {
                    // Nobody waits for a dropped receipt.
                    let _ = sender.send(outcome);
                }
            }
            _ => drop(slots),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn take(&mut self, slot: u32) -> Option<Waiting> {
        let taken = self.entries.get_mut(slot as usize)?.take();
        if taken.is_some() {
            self.free.push(slot);
        }
        taken
    }
}

/// Hands the client's answers to who waits.
pub(super) struct Answers(pub(super) Arc<Deliveries>);

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        crate::client_log::report("producer", &error, reason);
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, tag: usize) {
        let cost =
            |message: &BorrowedMessage<'_>| self.0.cost(message.key_len(), message.payload_len());
        let (cost, outcome) = match result {
            Ok(message) => (
                cost(message),
                Ok(Written {
                    partition: message.partition(),
                    offset: message.offset(),
                }),
            ),
            Err((error, message)) => (cost(message), Err(naming(classify(error), message.topic()))),
        };
        self.0.answer(Tag::unpack(tag), cost, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_survives_the_client() {
        for tag in [
            Tag { slot: 0, index: 0 },
            Tag {
                slot: 7,
                index: u32::MAX,
            },
            Tag {
                slot: u32::MAX,
                index: 1,
            },
        ] {
            assert_eq!(Tag::unpack(tag.pack()), tag);
        }
    }

    #[test]
    fn room_comes_back_with_the_last_answer() {
        let deliveries = Deliveries::new(10_000);
        let batch = Arc::new(Batch::new());
        let tag = deliveries.expect_many(&batch);
        let cost = deliveries.cost(10, 100);
        for _ in 0..3 {
            batch.add();
            deliveries.room.try_acquire_many(cost).unwrap().forget();
        }
        let lost = || Err(PublishError::Lost("x".into()));
        deliveries.answer(
            tag.at(1),
            cost,
            Ok(Written {
                partition: 0,
                offset: 1,
            }),
        );
        deliveries.answer(tag.at(2), cost, lost());
        assert!(deliveries.room.available_permits() < 10_000);
        deliveries.answer(tag.at(0), cost, lost());
        assert_eq!(deliveries.room.available_permits(), 10_000);
        let (written, failures) = batch.result();
        assert_eq!((written, failures.len()), (1, 2));
        assert!(batch.end(), "nothing is expected any more");
    }

    #[test]
    fn slots_are_used_again() {
        let deliveries = Deliveries::new(10_000);
        let (first, receiver) = deliveries.expect_one();
        deliveries.room.try_acquire_many(2000).unwrap().forget();
        deliveries.answer(
            first,
            2000,
            Ok(Written {
                partition: 1,
                offset: 2,
            }),
        );
        assert_eq!(
            receiver.blocking_recv().unwrap(),
            Ok(Written {
                partition: 1,
                offset: 2
            })
        );
        assert_eq!(deliveries.expect_one().0, first);
        assert_eq!(deliveries.room.available_permits(), 10_000);
    }
}
