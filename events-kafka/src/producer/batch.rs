//! Many events at once, with one wait at the end.

use std::borrow::Borrow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use events_core::Event;
use events_runtime::PublishError;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::Producer;
use super::deliveries::{Deliveries, Outcome, Tag};
use super::failure::{PublishAllFailed, PublishFailed};
use super::link::Helper;
use super::stamp::Stamp;
use crate::sink::naming;

/// Bytes of room that a batch asks for at once.
const CHUNK: u32 = 64 * 1024;
/// Answered bytes that are given back at once.
const GIVE_BACK: usize = 64 * 1024;
/// The part of all room that a batch waits for where there is none at once: it then runs on for a while, and what is
/// under way meanwhile keeps the broker busy.
const PART: u32 = 8;
/// Events between two looks at what was answered.
const TURN: usize = 64;
/// Most events of one batch: an index has 32 bits.
const MOST: usize = 1 << 31;

/// What the events of a batch share while they are under way.
pub(super) struct Batch {
    /// Events enqueued and not answered, and one more while the batch is being published.
    outstanding: AtomicUsize,
    /// Answered bytes that are not given back yet.
    answered: AtomicUsize,
    written: AtomicUsize,
    failures: Mutex<Vec<(u32, PublishError)>>,
    settled: Notify,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            outstanding: AtomicUsize::new(1),
            answered: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            failures: Mutex::default(),
            settled: Notify::new(),
        }
    }

    /// One more is about to be enqueued.
    pub(super) fn add(&self) {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
    }

    /// It was not.
    fn withdraw(&self) {
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
    }

    /// Nobody publishes or waits any more. Answers whether nothing is expected either.
    pub(super) fn end(&self) -> bool {
        self.outstanding.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Takes an answer, and says whether it was the last of a batch that has ended.
    pub(super) fn answer(&self, index: u32, cost: u32, outcome: Outcome, room: &Semaphore) -> bool {
        match outcome {
            Ok(_) => {
                self.written.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self
                .failures
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((index, error)),
        }
        let answered = self.answered.fetch_add(cost as usize, Ordering::Relaxed) + cost as usize;
        // Whoever sees the count go down sees what was counted before.
        let left = self.outstanding.fetch_sub(1, Ordering::AcqRel) - 1;
        if left <= 1 || answered >= GIVE_BACK {
            // What one thread takes here, no other gives back.
            room.add_permits(self.answered.swap(0, Ordering::Relaxed));
        }
        if left == 1 {
            self.settled.notify_one();
        }
        left == 0
    }

    /// Waits until everything enqueued is answered.
    async fn settled(&self) {
        while self.outstanding.load(Ordering::Acquire) > 1 {
            self.settled.notified().await;
        }
    }

    /// Events written, and the others with their indices.
    pub(super) fn result(&self) -> (usize, Vec<(u32, PublishError)>) {
        let failures =
            std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        (self.written.load(Ordering::Relaxed), failures)
    }
}

/// A batch's slot. It is freed once nothing is expected for it, also when the publish is given up under way.
struct Expected<'a> {
    deliveries: &'a Deliveries,
    batch: Arc<Batch>,
    tag: Tag,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        if self.batch.end() {
            self.deliveries.forget(self.tag);
        }
    }
}

impl Producer {
    /// Publishes as many events as one batch counts, and answers whether there may be more.
    pub(super) async fn publish_batch<E: Event, B: Borrow<E>>(
        &self,
        events: &mut impl Iterator<Item = B>,
        stamp: &mut Stamp,
        all: &mut PublishAllFailed,
    ) -> bool {
        let event = E::DESCRIPTOR.name;
        let first = all.written + all.failures.len();
        let deliveries = &*self.link.deliveries;
        let batch = Arc::new(Batch::new());
        let slot = Expected {
            deliveries,
            tag: deliveries.expect_many(&batch),
            batch,
        };
        // Room that was granted and is not used yet.
        let mut room: Option<SemaphorePermit<'_>> = None;
        let mut helper: Option<Helper> = None;
        let mut taken = 0;
        for item in events.by_ref().take(MOST) {
            let place = taken;
            taken += 1;
            let record = match stamp.record(&self.origin, item.borrow(), None) {
                Ok(record) => record,
                Err(source) => {
                    all.failures
                        .push((first + place, PublishFailed::Encode { event, source }));
                    continue;
                }
            };
            let cost = self.cost(&record);
            if room
                .as_ref()
                .is_none_or(|room| room.num_permits() < cost as usize)
            {
                // What is left goes back first: two batches that both keep a rest could wait for each other.
                drop(room.take());
                room = self.link.room_now(cost.max(CHUNK.min(deliveries.total)));
            }
            if room.is_none() {
                // Whoever waits serves nobody.
                drop(helper.take());
                room = self.link.room(cost.max(deliveries.total / PART)).await;
            }
            if place % TURN == 0 {
                helper.get_or_insert_with(|| self.link.help()).serve();
            }
            let Some(granted) = &mut room else {
                all.stopped_at = Some(first + place);
                break;
            };
            slot.batch.add();
            match self.link.send(&record, slot.tag.at(place as u32)) {
                Ok(()) => {
                    if let Some(used) = granted.split(cost as usize) {
                        used.forget();
                    }
                }
                Err(source) => {
                    slot.batch.withdraw();
                    let source = naming(source, &record.topic);
                    all.failures
                        .push((first + place, PublishFailed::Rejected { event, source }));
                }
            }
        }
        drop(room);
        drop(helper);
        slot.batch.settled().await;
        let (written, failures) = slot.batch.result();
        all.written += written;
        let failures = failures.into_iter().map(|(place, source)| {
            (
                first + place as usize,
                PublishFailed::Rejected { event, source },
            )
        });
        all.failures.extend(failures);
        taken == MOST && all.stopped_at.is_none()
    }
}
