//! One producer, and who hands out its answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use events_runtime::{Ticket, Written};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::{classify, naming};
use crate::ffi::{Answers, Sent};

/// How late an answer may be handed out when no lane asks for it: the lane that was woken for that is gone.
const POLL: Duration = Duration::from_millis(10);
/// How late the client's own events are served when nothing is on its way.
const IDLE: Duration = Duration::from_millis(100);
/// Answers come in batches; most that are handed out at one call of a lane.
const SERVED: usize = 64;

/// One producer. Lanes hand out its answers; a thread does where none does so.
pub(super) struct Running {
    /// Wakes a lane.
    answers: Answers,
    pub(super) producer: Arc<BaseProducer<Deliveries>>,
    stopped: Arc<AtomicBool>,
    /// A lane has handed out answers since the thread last looked.
    served: Arc<AtomicBool>,
    unparked: Thread,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Lets the thread of a producer hand out answers.
struct Unpark {
    thread: Thread,
    asked: Arc<AtomicBool>,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.asked.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Running {
    pub(super) fn start(config: &ClientConfig) -> KafkaResult<Self> {
        let producer = Arc::new(BaseProducer::from_config_and_context(config, Deliveries)?);
        let stopped = Arc::new(AtomicBool::new(false));
        let served = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicBool::new(false));
        let (polled, until, by_lanes) = (
            Arc::clone(&producer),
            Arc::clone(&stopped),
            Arc::clone(&served),
        );
        let due = Arc::clone(&asked);
        let poll = move || {
            while !until.load(Ordering::Acquire) {
                // Where lanes do, memory is freed on the threads that took it.
                let served = by_lanes.swap(false, Ordering::Relaxed);
                if due.swap(false, Ordering::AcqRel) || !served {
                    (0..SERVED).for_each(|_| polled.poll(Duration::ZERO));
                }
                let busy = polled.in_flight_count() > 0;
                thread::park_timeout(if busy { POLL } else { IDLE });
            }
        };
        let thread = thread::Builder::new().name("emissions".into()).spawn(poll);
        let thread = thread.map_err(|error| {
            KafkaError::ClientCreation(format!("no thread for the producer: {error}"))
        })?;
        let unpark = Unpark {
            thread: thread.thread().clone(),
            asked,
        };
        Ok(Self {
            answers: Answers::of(&producer, Waker::from(Arc::new(unpark))),
            producer,
            stopped,
            served,
            unparked: thread.thread().clone(),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands out answers; `waker` is woken when there are more, if its task waits for some.
    pub(super) fn serve(&self, waker: &Waker, waits: bool) {
        if !self.served.load(Ordering::Relaxed) {
            self.served.store(true, Ordering::Relaxed);
        }
        // First, so that what comes from now on is not missed.
        match waits {
            true => self.answers.register(waker),
            false => self.answers.leave(waker),
        }
        for _ in 0..SERVED {
            if self.answers.is_empty() {
                return;
            }
            self.producer.poll(Duration::ZERO);
        }
        waker.wake_by_ref();
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.unparked.unpark();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It ends within one poll; a panic in a callback was reported by the panic hook.
            let _ = thread.join();
        }
    }

    /// Answers everything that is still held as lost.
    pub(super) fn purge(&self) {
        use rdkafka::producer::PurgeConfig;
        self.producer
            .purge(PurgeConfig::default().queue().inflight());
        self.producer.poll(Duration::ZERO);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Answers tickets.
pub(super) struct Deliveries;

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        crate::client_log::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        crate::client_log::report("producer of the lanes", &error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Sent<Ticket>>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent<Ticket>>) {
        sent.answered().complete(match result {
            Ok(message) => Ok(Written {
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, message)) => Err(naming(classify(error), message.topic())),
        });
    }
}
