//! The lanes' producer: acknowledged asynchronously, in order, without a time limit (design §7).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use events_core::Outgoing;
use events_runtime::{Publish, PublishError, Ticket, Written};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::aside::aside;
use crate::ffi::{self, Sent};
use crate::options::ClientOptions;
use crate::patience::bounded;

/// How late an answer may be handed out when no lane asks for it.
const POLL: Duration = Duration::from_millis(1);
/// How late the client's own events are served when nothing is on its way.
const IDLE: Duration = Duration::from_millis(100);
/// Answers come in batches; this many are handed out at one call of a lane.
const SERVED: usize = 4;
/// Room for what a dead letter adds to its record (D5 asks for 64 KiB at least).
const DEAD_LETTER_ROOM: usize = 128 * 1024;
/// The client's own default for `message.max.bytes`.
const DEFAULT_MAX_BYTES: usize = 1_000_000;
/// The most that the client takes for it: no record that was received is larger.
const LARGEST_MAX_BYTES: &str = "1000000000";
/// What a record's framing takes of `message.max.bytes`.
const FRAMING: usize = 1024;

/// The producer of all lanes of a service.
///
/// What came compressed may be larger, once unpacked, than its topic's limit, and the client goes by the size before
/// compression. So letters above the limit go out by a producer of their own, compressed and each for itself, and whether
/// their topic takes them is the broker's to say. It is started by the first of them.
pub(crate) struct LaneProducer {
    usual: Line,
    large: Line,
    max_record_bytes: usize,
    max_letter_bytes: usize,
}

/// A producer from the first record on. One that failed for good is replaced.
struct Line {
    config: ClientConfig,
    current: RwLock<Option<Arc<Running>>>,
}

/// One producer and the thread that serves its callbacks.
struct Running {
    producer: Arc<BaseProducer<Deliveries>>,
    stopped: Arc<AtomicBool>,
    /// Records without an answer.
    waiting: Arc<AtomicUsize>,
    unparked: Thread,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl LaneProducer {
    pub(crate) fn start(client: &ClientOptions) -> KafkaResult<Arc<Self>> {
        let mut config = client.lane_producer();
        let max_bytes = config
            .get("message.max.bytes")
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(DEFAULT_MAX_BYTES);
        let letters = max_bytes + DEAD_LETTER_ROOM;
        config.set("message.max.bytes", letters.to_string());
        let large = Line::new(large(config.clone()));
        let usual = Line::new(config);
        usual.running()?;
        Ok(Arc::new(Self {
            usual,
            large,
            max_record_bytes: max_bytes.saturating_sub(FRAMING),
            max_letter_bytes: letters.saturating_sub(FRAMING),
        }))
    }

    /// Asks the cluster for a topic's partitions, so that the producer knows those that were added a moment ago: it would refuse
    /// their records until it asks by itself. Answers how many there are. Blocks.
    pub(crate) fn learn(&self, topic: &str, patience: Duration) -> KafkaResult<usize> {
        let running = self.usual.running()?;
        let metadata = running
            .producer
            .client()
            .fetch_metadata(Some(topic), patience)?;
        let found = metadata.topics().first();
        Ok(found.map_or(0, |topic| topic.partitions().len()))
    }

    /// Waits for what is on its way, at most until the deadline, and ends the threads.
    pub(crate) async fn close(&self, deadline: Duration) {
        let lines = [self.usual.current(), self.large.current()];
        let until = Instant::now() + bounded(deadline);
        let flush = move || {
            for running in lines.into_iter().flatten() {
                let left = until.saturating_duration_since(Instant::now());
                if let Err(error) = running.producer.flush(left) {
                    tracing::warn!(%error, "emissions were still on their way at shutdown; their records are handled again");
                }
                running.stop();
            }
        };
        if aside(flush).await.is_none() {
            tracing::warn!(
                "emissions were not waited for at shutdown; their records are handled again"
            );
        }
    }
}

/// The configuration of the producer for what is too large for the usual one.
fn large(mut config: ClientConfig) -> ClientConfig {
    config.set("message.max.bytes", LARGEST_MAX_BYTES);
    // One that is too large must not take others with it.
    config.set("batch.num.messages", "1");
    let named = ["compression.type", "compression.codec"];
    if named.iter().all(|name| config.get(name).is_none()) {
        // The client has it always, whatever it was built with.
        config.set("compression.type", "lz4");
    }
    config
}

impl Line {
    fn new(config: ClientConfig) -> Self {
        Self {
            config,
            current: RwLock::default(),
        }
    }

    fn current(&self) -> Option<Arc<Running>> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn running(&self) -> KafkaResult<Arc<Running>> {
        if let Some(running) = self.current() {
            return Ok(running);
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*current {
            return Ok(Arc::clone(running));
        }
        let new = Arc::new(Running::start(&self.config)?);
        *current = Some(Arc::clone(&new));
        Ok(new)
    }

    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        let running = match self.running() {
            Ok(running) => running,
            Err(error) => return Err((ticket, PublishError::Lost(error.to_string()))),
        };
        // Counted before it is sent, because the answer may come at once.
        if running.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            running.unparked.unpark();
        }
        ffi::produce(&running.producer, record, ticket).map_err(|(ticket, code)| {
            running.waiting.fetch_sub(1, Ordering::AcqRel);
            if let Some((code, reason)) = running.producer.client().fatal_error() {
                self.replace(&running, &format!("{code:?}: {reason}"));
                return (ticket, PublishError::Lost(reason));
            }
            (ticket, naming(refusal(code), &record.topic))
        })
    }

    /// Puts a new producer in the place of one that failed for good. What the old one held comes back as lost.
    fn replace(&self, failed: &Arc<Running>, reason: &str) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if !current.as_ref().is_some_and(|now| Arc::ptr_eq(now, failed)) {
            return;
        }
        tracing::error!(reason, "the producer failed for good: starting a new one");
        match Running::start(&self.config) {
            Ok(new) => {
                let old = current.replace(Arc::new(new));
                drop(current);
                if let Some(old) = old {
                    old.purge();
                }
            }
            Err(error) => tracing::error!(%error, "no new producer; the next emission tries again"),
        }
    }
}

impl Running {
    fn start(config: &ClientConfig) -> KafkaResult<Self> {
        let waiting = Arc::new(AtomicUsize::new(0));
        let context = Deliveries {
            waiting: Arc::clone(&waiting),
        };
        let producer = Arc::new(BaseProducer::from_config_and_context(config, context)?);
        let stopped = Arc::new(AtomicBool::new(false));
        let (polled, until, left) = (
            Arc::clone(&producer),
            Arc::clone(&stopped),
            Arc::clone(&waiting),
        );
        let poll = move || {
            while !until.load(Ordering::Acquire) {
                polled.poll(Duration::ZERO);
                let busy = left.load(Ordering::Acquire) > 0;
                thread::park_timeout(if busy { POLL } else { IDLE });
            }
        };
        let thread = thread::Builder::new().name("emissions".into()).spawn(poll);
        let thread = thread.map_err(|error| {
            KafkaError::ClientCreation(format!("no thread for the producer: {error}"))
        })?;
        Ok(Self {
            producer,
            stopped,
            waiting,
            unparked: thread.thread().clone(),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn stop(&self) {
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
    fn purge(&self) {
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

impl Publish for LaneProducer {
    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        if record.size() > self.max_letter_bytes {
            return self.large.enqueue(record, ticket);
        }
        match self.usual.enqueue(record, ticket) {
            // Many headers take more than the framing that was allowed for.
            Err((ticket, PublishError::TooLarge(_))) => self.large.enqueue(record, ticket),
            outcome => outcome,
        }
    }

    fn serve(&self) {
        let Some(running) = self.usual.current() else {
            return;
        };
        for _ in 0..SERVED {
            running.producer.poll(Duration::ZERO);
        }
    }

    fn max_record_bytes(&self) -> usize {
        self.max_record_bytes
    }

    fn max_letter_bytes(&self) -> usize {
        self.max_letter_bytes
    }
}

/// What an error of the client means for the record.
pub(crate) fn classify(error: &KafkaError) -> PublishError {
    match error.rdkafka_error_code() {
        Some(code) => refusal(code),
        None => PublishError::Lost(error.to_string()),
    }
}

/// What an error code of the client means for the record.
pub(crate) fn refusal(code: RDKafkaErrorCode) -> PublishError {
    use RDKafkaErrorCode as Code;
    let mut text = code.to_string();
    if let Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed = code {
        text.push_str("; this user lacks the right to Write it: grant it as `check --acls` says");
    }
    match code {
        Code::QueueFull => PublishError::Full,
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => PublishError::TooLarge(text),
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::InvalidRecord
        | Code::PolicyViolation
        | Code::InvalidTimestamp
        | Code::UnsupportedForMessageFormat => PublishError::Refused(text),
        Code::MessageTimedOut | Code::RequestTimedOut => PublishError::TimedOut(text),
        _ => PublishError::Lost(text),
    }
}

/// The same with the topic's name, where it is the topic that does not take the record.
pub(crate) fn naming(error: PublishError, topic: &str) -> PublishError {
    match error {
        PublishError::Refused(reason) if reason.starts_with("UnknownTopic") => {
            PublishError::Refused(format!(
                "the topic `{topic}` does not exist: create it, or let a service do so by `ensure_topics`; {reason}"
            ))
        }
        PublishError::Refused(reason) => {
            PublishError::Refused(format!("the topic `{topic}`: {reason}"))
        }
        PublishError::TooLarge(reason) => {
            PublishError::TooLarge(format!("the topic `{topic}`: {reason}"))
        }
        other => other,
    }
}

/// Answers tickets.
struct Deliveries {
    waiting: Arc<AtomicUsize>,
}

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
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        sent.then.complete(match result {
            Ok(message) => Ok(Written {
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, message)) => Err(naming(classify(error), message.topic())),
        });
    }
}
