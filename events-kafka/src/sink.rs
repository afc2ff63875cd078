//! The lanes' producer: acknowledged asynchronously, in order, without a time limit (design §7).

mod running;

use std::sync::{Arc, PoisonError, RwLock};
use std::task::Waker;
use std::time::{Duration, Instant};

use events_core::Outgoing;
use events_runtime::{Publish, PublishError, Ticket};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer;

use self::running::Running;
use crate::aside::aside;
use crate::ffi;
use crate::options::ClientOptions;
use crate::patience::bounded;
use crate::topic_watch::Ids;

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

    /// Asks the cluster for the ids of topics. Blocks.
    pub(crate) fn topic_ids(
        &self,
        topics: &[&str],
        patience: Duration,
    ) -> Result<Ids, RDKafkaErrorCode> {
        let gone = |_| RDKafkaErrorCode::OperationTimedOut;
        let running = self.usual.running().map_err(gone)?;
        ffi::topic_ids(running.producer.client(), topics, patience)
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
        let sent = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            match &*current {
                Some(running) => ffi::produce(&running.producer, record, ticket),
                None => {
                    drop(current);
                    match self.running() {
                        Ok(running) => ffi::produce(&running.producer, record, ticket),
                        Err(error) => return Err((ticket, PublishError::Lost(error.to_string()))),
                    }
                }
            }
        };
        sent.map_err(|(ticket, code)| {
            if let Some(running) = self.current()
                && let Some((code, reason)) = running.producer.client().fatal_error()
            {
                self.replace(&running, &format!("{code:?}: {reason}"));
                return (ticket, PublishError::Lost(reason));
            }
            (ticket, naming(refusal(code), &record.topic))
        })
    }

    /// Hands out answers; `waker` is woken when there are more, if its task waits for some.
    fn serve(&self, waker: &Waker, waits: bool) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = &*current else { return };
        running.serve(waker, waits);
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

    fn serve(&self, waker: &Waker, waits: bool) {
        self.usual.serve(waker, waits);
        self.large.serve(waker, waits);
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
///
/// | the broker's reason | what follows |
/// |---|---|
/// | the client's queue is full | waits, in order |
/// | size of the record, of its batch | a letter or a parked record gives up words; an emission is dead-lettered |
/// | time; a record that is invalid for a reason that the client does not tell, with a time of its own | its time goes into a header; without a time of its own it waits until the clock is right |
/// | no such topic, no right, policy, a record that the topic cannot take (no key where it is compacted, an old format) | an emission is dead-lettered; a letter or a parked record waits, named, until the topic takes it |
/// | too few replicas, a leader that moves, a disk that fails, throttling | the client asks again, without a limit |
/// | another record of the batch; everything else | it is sent again, in order, by a new producer if this one failed for good |
pub(crate) fn refusal(code: RDKafkaErrorCode) -> PublishError {
    use RDKafkaErrorCode as Code;
    let mut text = code.to_string();
    if let Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed = code {
        text.push_str("; this user lacks the right to Write it: grant it as `check --acls` says");
    }
    match code {
        Code::QueueFull => PublishError::Full,
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge => {
            PublishError::TooLarge(text)
        }
        Code::InvalidTimestamp => PublishError::Untimely(text),
        // Also a record in a batch of several whose time is refused: its own reason is lost in the client.
        Code::InvalidRecord => PublishError::Invalid(text),
        Code::UnknownTopic
        | Code::UnknownTopicOrPartition
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::PolicyViolation
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
        PublishError::Invalid(reason) => {
            PublishError::Invalid(format!("the topic `{topic}`: {reason}"))
        }
        PublishError::Untimely(reason) => {
            PublishError::Untimely(format!("the topic `{topic}`: {reason}"))
        }
        other => other,
    }
}
