//! Reads reply topics, without a group and from their ends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use events_runtime::Settings;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Replies;
use crate::client_log;
use crate::embedded::{Embedded, PARTITIONS};
use crate::error::KafkaError;
use crate::ffi::{self, NativeQueue};
use crate::options::ClientOptions;
use crate::queue::KafkaRecord;

/// How long the cluster may take for one answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How often the client's own events are served, and how late the thread may notice that it is to end.
const SERVE: Duration = Duration::from_millis(100);
/// Records moved from a partition at once.
const BATCH: usize = 512;

/// The reader of a producer's replies.
pub(super) struct Listener {
    consumer: Arc<BaseConsumer<Quiet>>,
    client: ClientOptions,
    /// Held while the cluster is asked, so that no topic is added twice.
    topics: Mutex<BTreeSet<String>>,
    queues: Mutex<Vec<Arc<NativeQueue>>>,
    thread: Thread,
}

impl Listener {
    pub(super) fn start(
        replies: &Arc<Replies>,
        client: &ClientOptions,
    ) -> Result<Arc<Self>, KafkaError> {
        // The client assigns nothing without the name of a group; it never joins it and commits nothing.
        let group = format!("{}.replies", client.property("client.id").unwrap_or("edge"));
        let mut config = client.parked_reader(&group, &Settings::default());
        config.set("queued.max.messages.kbytes", "1024");
        let consumer = BaseConsumer::from_config_and_context(&config, Quiet);
        let consumer =
            Arc::new(consumer.map_err(|error| KafkaError::client("reader of replies", &error))?);
        let (hand, handed) = std::sync::mpsc::channel::<Arc<Self>>();
        let replies = Arc::downgrade(replies);
        let thread = thread::Builder::new()
            .name("replies".into())
            .spawn(move || {
                if let Ok(listener) = handed.recv() {
                    listener.run(&replies);
                }
            })
            .map_err(KafkaError::Thread)?;
        let listener = Arc::new(Self {
            consumer,
            client: client.clone(),
            topics: Mutex::default(),
            queues: Mutex::default(),
            thread: thread.thread().clone(),
        });
        // The thread waits for it.
        let _ = hand.send(Arc::clone(&listener));
        Ok(listener)
    }

    /// Reads a topic from its end, if it is not read yet. Answers whether there is such a topic. Blocks while the cluster
    /// answers.
    pub(super) fn add(&self, topic: &str) -> Result<bool, KafkaError> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.contains(topic) {
            return Ok(true);
        }
        if self.client.is_embedded() {
            Embedded::shared()?.create_topics([topic], PARTITIONS)?;
        }
        let address = self.client.address().unwrap_or_default();
        let failed = |error: ClientError| {
            KafkaError::cluster(address, "say where the topic of the replies ends", &error)
        };
        let metadata = self
            .consumer
            .fetch_metadata(Some(topic), ANSWER)
            .map_err(failed)?;
        let known = metadata.topics().iter().find(|known| known.name() == topic);
        let partitions = known.map_or(&[][..], |known| known.partitions());
        if partitions.is_empty() {
            return Ok(false);
        }
        let (mut list, mut queues) = (TopicPartitionList::new(), Vec::new());
        for partition in partitions {
            // An offset, and not "the end": what comes after this answer is read, however late the first fetch is.
            let (_, end) = self
                .consumer
                .fetch_watermarks(topic, partition.id(), ANSWER)
                .map_err(failed)?;
            list.add_partition_offset(topic, partition.id(), Offset::Offset(end))
                .map_err(failed)?;
            // Split before it is assigned, as for every partition.
            let queue = NativeQueue::split(&self.consumer, topic, partition.id());
            let gone = || failed(ClientError::Subscription(format!("no queue for {topic}")));
            queues.push(Arc::new(queue.ok_or_else(gone)?));
        }
        self.consumer.incremental_assign(&list).map_err(failed)?;
        self.queues().extend(queues);
        topics.insert(topic.to_owned());
        self.thread.unpark();
        Ok(true)
    }

    fn run(&self, replies: &Weak<Replies>) {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        while let Some(replies) = replies.upgrade() {
            let queues = self.queues().clone();
            let (mut moved, mut broken) = (false, None);
            for queue in &queues {
                // Registered first: what arrives from now on wakes the thread.
                queue.register(&waker);
                ffi::consume(queue, BATCH, |message| match message.error() {
                    None => {
                        moved = true;
                        replies.take(&KafkaRecord::of(message));
                    }
                    Some((code, text)) if ends(code) => {
                        broken = Some(format!("{}: {code:?}: {text}", message.topic()));
                    }
                    Some((code, text)) => tracing::debug!(?code, text, "a reply topic"),
                });
            }
            while let Some(served) = self.consumer.poll(Duration::ZERO) {
                if let Err(error) = served {
                    client_log::report("reader of replies", &error, "while polling");
                }
            }
            if let Some(reason) = broken {
                replies.fail(&reason);
                break;
            }
            if replies.rests() {
                break;
            }
            drop(replies);
            if !moved {
                thread::park_timeout(SERVE);
            }
        }
        // Queues go before their consumer.
        self.queues().clear();
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Arc<NativeQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Errors after which a partition is not read any more.
fn ends(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::OffsetOutOfRange
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
    )
}

/// Wakes the thread when a queue is not empty any more.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The reader's callbacks.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::report("reader of replies", &error, reason);
    }
}

impl ConsumerContext for Quiet {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_topic_is_read_from_is_known_before_anything_is_sent() {
        let client = ClientOptions::without_environment().embedded();
        let client = client.located().unwrap();
        let replies = Replies::new(client.clone(), 1);
        let listener = Listener::start(&replies, &client).unwrap();
        assert!(listener.add("replies-known").unwrap());
        assert!(listener.add("replies-known").unwrap(), "it is added once");
        let read = listener.consumer.assignment().unwrap();
        let from: Vec<_> = read.elements().iter().map(|one| one.offset()).collect();
        assert_eq!(from, [Offset::Offset(0); PARTITIONS as usize]);
    }
}
