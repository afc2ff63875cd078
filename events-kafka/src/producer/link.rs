//! The client behind a producer, and the thread that serves its callbacks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use events_core::Outgoing;
use events_runtime::PublishError;
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};
use tokio::sync::SemaphorePermit;

use super::deliveries::{Answers, Deliveries, Tag};
use crate::aside::aside;
use crate::error::KafkaError;
use crate::ffi;
use crate::sink::refusal;

/// How late the thread may notice that it is to end, or that a batch serves the callbacks itself.
const POLL: Duration = Duration::from_millis(50);
/// How long events that were enqueued and not awaited may still take when a producer is dropped without `close`.
const FAREWELL: Duration = Duration::from_secs(5);

/// A client that is replaced when it fails for good.
pub(super) struct Link {
    config: ClientConfig,
    current: RwLock<Arc<Running>>,
    pub(super) deliveries: Arc<Deliveries>,
    closed: AtomicBool,
}

struct Running {
    producer: Arc<BaseProducer<Answers>>,
    duty: Arc<Duty>,
    /// To wake it.
    server: Thread,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Who serves the callbacks.
#[derive(Default)]
struct Duty {
    stopped: AtomicBool,
    /// Batches that serve them for now.
    helpers: AtomicUsize,
    /// Counts their turns: a batch whose events come slowly is no help.
    turns: AtomicUsize,
}

/// A batch that serves the callbacks itself while it does not wait: memory of answered records then goes back where it
/// came from, which costs an allocator far less than between threads, and no thread is woken for each answer.
pub(super) struct Helper(Arc<Running>);

impl Helper {
    /// Serves what has come, without waiting.
    pub(super) fn serve(&self) {
        self.0.duty.turns.fetch_add(1, Ordering::Relaxed);
        self.0.producer.poll(Duration::ZERO);
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if self.0.duty.helpers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.server.unpark();
        }
    }
}

impl Link {
    pub(super) fn start(config: ClientConfig, bytes: usize) -> Result<Self, KafkaError> {
        let deliveries = Arc::new(Deliveries::new(bytes));
        let current = RwLock::new(Arc::new(Running::start(&config, &deliveries)?));
        Ok(Self {
            config,
            current,
            deliveries,
            closed: AtomicBool::new(false),
        })
    }

    /// Waits for room, first come, first served; none once the link is closed.
    pub(super) async fn room(&self, bytes: u32) -> Option<SemaphorePermit<'_>> {
        // The semaphore itself is never closed: closing waits for all of it.
        let permit = self.deliveries.room.acquire_many(bytes).await.ok()?;
        (!self.closed.load(Ordering::Acquire)).then_some(permit)
    }

    /// Room, if there is some at once.
    pub(super) fn room_now(&self, bytes: u32) -> Option<SemaphorePermit<'_>> {
        let permit = self.deliveries.room.try_acquire_many(bytes).ok()?;
        (!self.closed.load(Ordering::Acquire)).then_some(permit)
    }

    /// Takes the duty of serving callbacks over until the helper is dropped.
    pub(super) fn help(&self) -> Helper {
        let running = self.current();
        running.duty.helpers.fetch_add(1, Ordering::AcqRel);
        Helper(running)
    }

    fn current(&self) -> Arc<Running> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enqueues a record for which there is room. Records of one key are written in the order of these calls.
    pub(super) fn send(&self, record: &Outgoing, tag: Tag) -> Result<(), PublishError> {
        let running = self.current();
        let Err(error) = running.send(record, tag) else {
            return Ok(());
        };
        let Some((code, reason)) = running.producer.client().fatal_error() else {
            return Err(error);
        };
        self.replace(&running, &format!("{code:?}: {reason}"))
            .send(record, tag)
    }

    /// Puts a new client in the place of one that failed for good. What the old one held is answered as lost.
    fn replace(&self, failed: &Arc<Running>, reason: &str) -> Arc<Running> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, failed) {
            tracing::error!(reason, "the producer failed for good: starting a new one");
            match Running::start(&self.config, &self.deliveries) {
                Ok(new) => {
                    let old = std::mem::replace(&mut *current, Arc::new(new));
                    old.producer
                        .purge(PurgeConfig::default().queue().inflight());
                }
                Err(error) => {
                    tracing::error!(%error, "no new producer; the next event tries again")
                }
            }
        }
        Arc::clone(&current)
    }

    /// Takes nothing more, waits for all answers until the deadline, and answers how many are missing then.
    pub(super) async fn close(&self, deadline: Duration) -> usize {
        self.closed.store(true, Ordering::Release);
        let all = self.deliveries.room.acquire_many(self.deliveries.total);
        let drained = tokio::time::timeout(deadline, all).await.is_ok();
        let running = self.current();
        let mut missing = 0;
        if !drained {
            missing = usize::try_from(running.producer.in_flight_count()).unwrap_or(0);
            tracing::warn!(
                events = missing,
                "events were still on their way when their producer was closed"
            );
            running
                .producer
                .purge(PurgeConfig::default().queue().inflight());
        }
        // It ends within one poll; a panic in it would be the only error.
        let _ = aside(move || running.stop()).await;
        missing
    }
}

impl Running {
    fn start(config: &ClientConfig, deliveries: &Arc<Deliveries>) -> Result<Self, KafkaError> {
        let answers = Answers(Arc::clone(deliveries));
        let producer = BaseProducer::from_config_and_context(config, answers);
        let producer = Arc::new(producer.map_err(|error| KafkaError::client("producer", &error))?);
        let duty = Arc::new(Duty::default());
        let (polled, own) = (Arc::clone(&producer), Arc::clone(&duty));
        let serve = move || {
            while !own.stopped.load(Ordering::Acquire) {
                let turns = own.turns.load(Ordering::Relaxed);
                if own.helpers.load(Ordering::Acquire) > 0 {
                    thread::park_timeout(POLL);
                }
                if own.turns.load(Ordering::Relaxed) == turns {
                    polled.poll(POLL);
                }
            }
            if polled.in_flight_count() > 0 && polled.flush(FAREWELL).is_err() {
                let events = polled.in_flight_count();
                tracing::warn!(
                    events,
                    "events were still on their way when their producer was dropped; close it first"
                );
            }
        };
        let thread = thread::Builder::new()
            .name("publish".into())
            .spawn(serve)
            .map_err(KafkaError::Thread)?;
        let server = thread.thread().clone();
        Ok(Self {
            producer,
            duty,
            server,
            thread: Mutex::new(Some(thread)),
        })
    }

    fn send(&self, record: &Outgoing, tag: Tag) -> Result<(), PublishError> {
        ffi::produce_copy(&self.producer, record, tag.pack()).map_err(refusal)
    }

    fn stop(&self) {
        self.duty.stopped.store(true, Ordering::Release);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The panic hook has reported a panic in a callback.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    /// The thread says goodbye by itself: a drop inside of async code must not wait.
    fn drop(&mut self) {
        self.duty.stopped.store(true, Ordering::Release);
    }
}
