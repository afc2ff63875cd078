//! The client behind a producer, and the thread that serves its callbacks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use events_core::Outgoing;
use events_runtime::PublishError;
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};
use tokio::sync::SemaphorePermit;

use super::deliveries::{Answers, Deliveries, Tag};
use crate::error::KafkaError;
use crate::sink::classify;

/// How late the thread may notice that it is to end.
const POLL: Duration = Duration::from_millis(100);
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
    stopped: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Link {
    pub(super) fn start(config: ClientConfig, bytes: usize) -> Result<Self, KafkaError> {
        let deliveries = Arc::new(Deliveries::new(bytes));
        let current = RwLock::new(Arc::new(Running::start(&config, &deliveries)?));
        Ok(Self { config, current, deliveries, closed: AtomicBool::new(false) })
    }

    /// Waits for room, first come, first served; none once the link is closed.
    pub(super) async fn room(&self, bytes: u32) -> Option<SemaphorePermit<'_>> {
        // The semaphore itself is never closed: closing waits for all of it.
        let permit = self.deliveries.room.acquire_many(bytes).await.ok()?;
        (!self.closed.load(Ordering::Acquire)).then_some(permit)
    }

    /// Enqueues a record for which there is room. Records of one key are written in the order of these calls.
    pub(super) fn send(&self, record: &Outgoing, tag: Tag) -> Result<(), PublishError> {
        let running = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let Err(error) = running.send(record, tag) else {
            return Ok(());
        };
        let Some((code, reason)) = running.producer.client().fatal_error() else {
            return Err(error);
        };
        self.replace(&running, &format!("{code:?}: {reason}")).send(record, tag)
    }

    /// Puts a new client in the place of one that failed for good. What the old one held is answered as lost.
    fn replace(&self, failed: &Arc<Running>, reason: &str) -> Arc<Running> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, failed) {
            tracing::error!(reason, "the producer failed for good: starting a new one");
            match Running::start(&self.config, &self.deliveries) {
                Ok(new) => {
                    let old = std::mem::replace(&mut *current, Arc::new(new));
                    old.producer.purge(PurgeConfig::default().queue().inflight());
                }
                Err(error) => tracing::error!(%error, "no new producer; the next event tries again"),
            }
        }
        Arc::clone(&current)
    }

    /// Takes nothing more, waits for all answers until the deadline, and answers how many are missing then.
    pub(super) async fn close(&self, deadline: Duration) -> usize {
        self.closed.store(true, Ordering::Release);
        let all = self.deliveries.room.acquire_many(self.deliveries.total);
        let drained = tokio::time::timeout(deadline, all).await.is_ok();
        let running = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let mut missing = 0;
        if !drained {
            missing = usize::try_from(running.producer.in_flight_count()).unwrap_or(0);
            tracing::warn!(events = missing, "events were still on their way when their producer was closed");
            running.producer.purge(PurgeConfig::default().queue().inflight());
        }
        // It ends within one poll; a panic in it would be the only error.
        let _ = tokio::task::spawn_blocking(move || running.stop()).await;
        missing
    }
}

impl Running {
    fn start(config: &ClientConfig, deliveries: &Arc<Deliveries>) -> Result<Self, KafkaError> {
        let answers = Answers(Arc::clone(deliveries));
        let producer = BaseProducer::from_config_and_context(config, answers);
        let producer = Arc::new(producer.map_err(|error| KafkaError::client("producer", &error))?);
        let stopped = Arc::new(AtomicBool::new(false));
        let (polled, until) = (Arc::clone(&producer), Arc::clone(&stopped));
        let serve = move || {
            while !until.load(Ordering::Acquire) {
                polled.poll(POLL);
            }
            if polled.in_flight_count() > 0 && polled.flush(FAREWELL).is_err() {
                let events = polled.in_flight_count();
                tracing::warn!(events, "events were still on their way when their producer was dropped; close it first");
            }
        };
        let thread = thread::Builder::new().name("publish".into()).spawn(serve).map_err(KafkaError::Thread)?;
        Ok(Self { producer, stopped, thread: Mutex::new(Some(thread)) })
    }

    fn send(&self, record: &Outgoing, tag: Tag) -> Result<(), PublishError> {
        let mut outgoing: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(&record.topic, tag.pack()).headers(headers(record));
        outgoing.key = record.key();
        outgoing.payload = record.value();
        outgoing.partition = record.partition;
        outgoing.timestamp = record.timestamp;
        self.producer.send(outgoing).map_err(|(error, _)| classify(&error))
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The panic hook has reported a panic in a callback.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    /// The thread says goodbye by itself: a drop inside of async code must not wait.
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// The record's headers, as the client wants them.
fn headers(record: &Outgoing) -> OwnedHeaders {
    let all = record.headers();
    let mut headers = OwnedHeaders::new_with_capacity(all.len());
    for (name, value) in all {
        // The client takes names of text without zeros; edge events have no others unless a hook adds one.
        match std::str::from_utf8(name) {
            Ok(key) if !name.contains(&0) => headers = headers.insert(Header { key, value }),
            _ => {
                let key = String::from_utf8_lossy(name).replace('\0', "");
                headers = headers.insert(Header { key: &key, value });
            }
        }
    }
    headers
}
