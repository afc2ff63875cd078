//! Keys in back-off, each with its records in order (D6).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hashbrown::HashMap;
use tokio::time::{Instant, Sleep};

use crate::deadline;
use crate::transport::Record;
use crate::work::Work;

/// The held keys of one slot.
#[derive(Debug)]
pub(crate) struct Held<R> {
    keys: HashMap<u64, HeldKey<R>>,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
struct HeldKey<R> {
    /// The failed record; out while it is being tried again.
    head: Option<Work<R>>,
    due: Instant,
    behind: VecDeque<Work<R>>,
}

impl<R: Record> Held<R> {
    pub(crate) fn new() -> Self {
        Self {
            keys: HashMap::new(),
            timer: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn holds(&self, key: u64) -> bool {
        self.keys.contains_key(&key)
    }

    /// The records that are held.
    pub(crate) fn works(&self) -> impl Iterator<Item = &Work<R>> {
        let keys = self.keys.values();
        keys.flat_map(|key| key.head.iter().chain(&key.behind))
    }

    /// Whether `work` must wait behind its key; then it does.
    pub(crate) fn take_behind(&mut self, mut work: Work<R>) -> Option<Work<R>> {
        if work.attempt > 1 && work.record.parked().is_none() {
            return Some(work);
        }
        match self.keys.get_mut(&work.key) {
            Some(key) => {
                work.record.detach();
                key.behind.push_back(work);
                None
            }
            None => Some(work),
        }
    }

    /// Holds a failed record back for `wait`; answers whether its key was free before.
    pub(crate) fn hold(&mut self, mut work: Work<R>, wait: Duration) -> bool {
        work.record.detach();
        let due = deadline::after(wait);
        let key = work.key;
        let fresh = !self.keys.contains_key(&key);
        let held = self.keys.entry(key).or_insert_with(|| HeldKey {
            head: None,
            due,
            behind: VecDeque::new(),
        });
        held.head = Some(work);
        held.due = due;
        self.arm();
        fresh
    }

    /// The next head whose wait is over.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Option<Work<R>> {
        loop {
            let timer = self.timer.as_mut()?;
            let Poll::Ready(()) = timer.as_mut().poll(cx) else {
                return None;
            };
            let now = Instant::now();
            let due = self
                .keys
                .values_mut()
                .find(|key| key.head.is_some() && key.due <= now);
            let work = due.and_then(|key| key.head.take());
            self.arm();
            if work.is_some() {
                return work;
            }
        }
    }

    /// Whether a head waits, due or not.
    pub(crate) fn has_heads(&self) -> bool {
        self.keys.values().any(|key| key.head.is_some())
    }

    /// The head that is due first, due or not.
    pub(crate) fn take_oldest(&mut self) -> Option<Work<R>> {
        let waiting = self.keys.values_mut().filter(|key| key.head.is_some());
        let work = waiting.min_by_key(|key| key.due)?.head.take();
        self.arm();
        work
    }

    /// The key's head is done: answers what waited behind it, in order.
    pub(crate) fn release(&mut self, key: u64) -> Option<VecDeque<Work<R>>> {
        self.keys.remove(&key).map(|held| held.behind)
    }

    /// Sets the timer to the earliest head.
    fn arm(&mut self) {
        let waiting = self.keys.values().filter(|key| key.head.is_some());
        let Some(due) = waiting.map(|key| key.due).min() else {
            self.timer = None;
            return;
        };
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(due),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(due))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use events_core::RecordView;

    use super::*;
    use crate::work::{RecordRef, SharedRecord};

    /// A client's record: what it keeps alive is seen by who else holds it.
    #[derive(Debug)]
    struct Fetched {
        _buffer: Arc<()>,
    }

    impl RecordView for Fetched {
        fn topic(&self) -> &str {
            "orders"
        }

        fn partition(&self) -> i32 {
            3
        }

        fn offset(&self) -> i64 {
            7
        }

        fn timestamp(&self) -> Option<i64> {
            Some(11)
        }

        fn key(&self) -> Option<&[u8]> {
            Some(b"key")
        }

        fn value(&self) -> Option<&[u8]> {
            Some(b"value")
        }

        fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
            let headers = [(&b"ce_id"[..], Some(&b"1"[..])), (b"x-null", None)];
            headers.get(index).copied()
        }
    }

    impl Record for Fetched {
        fn size(&self) -> usize {
            8
        }
    }

    fn work(record: RecordRef<Fetched>) -> Work<Fetched> {
        Work {
            record,
            seq: 0,
            key: 1,
            version: 1,
            attempt: 1,
            event: 0,
            lined_up: 0,
            buffers: None,
        }
    }

    #[tokio::test]
    async fn what_waits_keeps_nothing_of_the_clients_alive() {
        let buffer = Arc::new(());
        let fetched = || Fetched {
            _buffer: Arc::clone(&buffer),
        };
        let mut held = Held::new();
        held.hold(work(RecordRef::Own(fetched())), Duration::from_secs(60));
        assert!(held.take_behind(work(RecordRef::Own(fetched()))).is_none());
        let shared = Arc::new(SharedRecord::new(fetched()));
        let of_other_handler = work(RecordRef::Shared(Arc::clone(&shared)));
        assert!(held.take_behind(work(RecordRef::Shared(shared))).is_none());
        let mut held_elsewhere = Held::new();
        held_elsewhere.hold(of_other_handler, Duration::from_secs(60));
        assert_eq!(Arc::strong_count(&buffer), 1, "three records wait");

        let head = held.take_oldest().unwrap();
        let behind = held.release(1).unwrap();
        let elsewhere = held_elsewhere.take_oldest().unwrap();
        let values = [&behind[1], &elsewhere].map(|work| work.record.value().unwrap().as_ptr());
        assert_eq!(values[0], values[1], "handlers that wait have one copy");
        let (original, copies) = (fetched(), [&head, &behind[0], &behind[1]]);
        for copy in copies {
            let copy = &*copy.record;
            assert_eq!(
                (copy.topic(), copy.partition(), copy.offset()),
                ("orders", 3, 7)
            );
            assert_eq!(
                (copy.key(), copy.value()),
                (original.key(), original.value())
            );
            assert_eq!(copy.timestamp(), Some(11));
            let headers = |record: &dyn RecordView| -> Vec<_> {
                let all = (0..).map_while(|index| record.header(index));
                all.map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
                    .collect()
            };
            assert_eq!(headers(copy), headers(&original));
        }
    }
}
