//! Reads logs from their starts to the ends that they have now, outside of any group's assignment.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use events_core::{Error, Result};
use events_runtime::Settings;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::aside::aside;
use crate::bar::Bar;
use crate::client_log;
use crate::error::KafkaError;
use crate::ffi::{self, Message, NativeQueue};
use crate::options::ClientOptions;
use crate::queue::KafkaRecord;

/// How long the cluster may take for one answer.
const ANSWER: Duration = Duration::from_secs(15);
/// How long a log may hand out nothing before its end.
const SILENCE: Duration = Duration::from_secs(30);
/// How often the client's own events are served.
const SERVE: Duration = Duration::from_millis(100);
/// Records moved from a partition at once.
const BATCH: usize = 512;

/// A part of a partition's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) from: i64,
    /// The first offset that is not read.
    pub(crate) to: i64,
}

/// A client that reads logs. It joins no group.
pub(crate) struct Reader {
    consumer: Arc<BaseConsumer<ReaderContext>>,
    address: String,
    /// The cluster's topics with their partitions.
    topics: BTreeMap<String, usize>,
    /// Partitions without a leader, which cannot be read.
    leaderless: BTreeSet<(String, i32)>,
    /// Whether those were named in the log.
    named: AtomicBool,
}

/// What was committed for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) offset: i64,
    pub(crate) metadata: String,
}

impl Reader {
    /// Connects, to ask for what `group` has committed, among other things.
    ///
    /// # Errors
    ///
    /// The cluster does not answer.
    pub(crate) async fn connect(client: &ClientOptions, group: &str) -> Result<Self, KafkaError> {
        let mut config = client.consumer(group, &Settings::default());
        config.set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true");
        config.set("isolation.level", "read_committed");
        // Parts of many partitions are read at once, and each has a queue.
        config.set("queued.max.messages.kbytes", "1024");
        let consumer = BaseConsumer::from_config_and_context(&config, ReaderContext)
            .map_err(|error| KafkaError::client("reader", &error))?;
        let mut reader = Self {
            consumer: Arc::new(consumer),
            address: client.address().unwrap_or_default().to_owned(),
            topics: BTreeMap::new(),
            leaderless: BTreeSet::new(),
            named: AtomicBool::new(false),
        };
        // All topics are listed: asking for one by its name could make it.
        let listed = |consumer: &BaseConsumer<_>| consumer.fetch_metadata(None, ANSWER);
        let metadata = reader.ask("list its topics", listed).await?;
        for topic in metadata.topics() {
            let partitions = topic.partitions().iter();
            let without = partitions.filter(|partition| partition.leader() < 0);
            reader
                .leaderless
                .extend(without.map(|partition| (topic.name().to_owned(), partition.id())));
        }
        let topics = metadata.topics().iter();
        reader.topics = topics
            .map(|topic| (topic.name().to_owned(), topic.partitions().len()))
            .collect();
        Ok(reader)
    }

    /// The partitions of a topic; none if it does not exist.
    pub(crate) fn partitions(&self, topic: &str) -> Option<i32> {
        self.topics
            .get(topic)
            .and_then(|count| i32::try_from(*count).ok())
    }

    /// Names of all topics.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Partitions of a topic that have no leader.
    pub(crate) fn leaderless(&self, topic: &str) -> impl Iterator<Item = i32> {
        let all = self.leaderless.iter();
        all.filter(move |(known, _)| known == topic)
            .map(|(_, partition)| *partition)
    }

    /// What stands in each partition of a topic now; nothing if there is no such topic. A partition without a leader is left
    /// out, and named in the log.
    pub(crate) async fn spans(&self, topic: &str) -> Result<Vec<Span>, KafkaError> {
        let without: BTreeSet<_> = self.leaderless(topic).collect();
        let named = !without.is_empty() && self.named.swap(true, Ordering::Relaxed);
        for partition in without.iter().filter(|_| !named) {
            tracing::warn!(
                topic,
                partition,
                "the partition {topic}/{partition} has no leader: what it holds is left out; bring back the broker that leads it"
            );
        }
        let (topic, count) = (Arc::<str>::from(topic), self.partitions(topic).unwrap_or(0));
        let asked = move |consumer: &BaseConsumer<ReaderContext>| {
            let led = (0..count).filter(|partition| !without.contains(partition));
            let spans = led.map(|partition| {
                let (from, to) = consumer.fetch_watermarks(&topic, partition, ANSWER)?;
                Ok(Span {
                    topic: Arc::clone(&topic),
                    partition,
                    from,
                    to,
                })
            });
            spans.collect()
        };
        self.ask("say how long its logs are", asked).await
    }

    /// What the group has committed for each partition of a topic.
    pub(crate) async fn committed(
        &self,
        topic: &str,
    ) -> Result<BTreeMap<i32, Committed>, KafkaError> {
        let (topic, count) = (topic.to_owned(), self.partitions(topic).unwrap_or(0));
        let asked = move |consumer: &BaseConsumer<ReaderContext>| {
            let mut list = TopicPartitionList::new();
            (0..count).for_each(|partition| {
                list.add_partition(&topic, partition);
            });
            let list = consumer.committed_offsets(list, ANSWER)?;
            let metadata = ffi::metadata(&list);
            let found = list.elements().into_iter().zip(metadata);
            let known = found.filter_map(|(element, metadata)| match element.offset() {
                Offset::Offset(offset) => {
                    Some((element.partition(), Committed { offset, metadata }))
                }
                _ => None,
            });
            Ok(known.collect())
        };
        self.ask("say what the group has committed", asked).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        action: &'static str,
        question: impl FnOnce(&BaseConsumer<ReaderContext>) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, KafkaError> {
        let consumer = Arc::clone(&self.consumer);
        let asked = aside(move || question(&consumer)).await;
        let answer = asked.unwrap_or(Err(ClientError::Canceled));
        answer.map_err(|error| KafkaError::cluster(&self.address, action, &error))
    }

    /// Begins to read. One scan of a reader at a time.
    ///
    /// # Errors
    ///
    /// The client refuses.
    pub(crate) fn scan(&mut self, spans: &[Span]) -> Result<Scan<'_>> {
        let mut list = TopicPartitionList::new();
        let mut parts = Vec::new();
        let failed =
            |error: ClientError| KafkaError::cluster(&self.address, "hand out records", &error);
        for span in spans.iter().filter(|span| span.from < span.to) {
            // Split before it is assigned, or early records land on the main queue.
            let queue = NativeQueue::split(&self.consumer, &span.topic, span.partition);
            let queue = queue.ok_or_else(|| Error::msg(format!("no queue for {}", span.topic)))?;
            list.add_partition_offset(&span.topic, span.partition, Offset::Offset(span.from))
                .map_err(failed)?;
            parts.push(Part {
                queue: Arc::new(queue),
                at: span.from,
                to: span.to,
            });
        }
        self.consumer.assign(&list).map_err(failed)?;
        let records = parts.iter().map(|part| part.to - part.at).sum::<i64>();
        Ok(Scan {
            reader: self,
            parts,
            bar: Bar::new("reading", records.unsigned_abs()),
            trouble: None,
        })
    }
}

impl Drop for Reader {
    /// Closing waits for the client's threads, which must not hold up a task.
    fn drop(&mut self) {
        let consumer = Arc::clone(&self.consumer);
        // A process that ends does not wait for it.
        let _ = std::thread::Builder::new().spawn(move || drop(consumer));
    }
}

/// Some logs that are read to their ends.
pub(crate) struct Scan<'a> {
    reader: &'a mut Reader,
    parts: Vec<Part>,
    bar: Bar,
    /// The last thing that a client reported instead of a record.
    trouble: Option<String>,
}

struct Part {
    queue: Arc<NativeQueue>,
    /// The next offset.
    at: i64,
    to: i64,
}

impl Scan<'_> {
    /// The next records, those of a partition in its order; none at the end of all.
    ///
    /// # Errors
    ///
    /// A log cannot be read, or hands out nothing for 30 s.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<KafkaRecord>>> {
        let mut until = Instant::now() + SILENCE;
        let mut serve = tokio::time::interval(SERVE);
        while self.parts.iter().any(|part| part.at < part.to) {
            let records = tokio::select! {
                records = poll_fn(|cx| self.poll(cx.waker())) => records?,
                _ = serve.tick() => {
                    self.serve();
                    if Instant::now() >= until {
                        let why = self.trouble.take().unwrap_or_else(|| "no answer".to_owned());
                        return Err(Error::msg(format!(
                            "the cluster at {} hands out no records: {why}",
                            self.reader.address
                        )));
                    }
                    continue;
                }
            };
            if !records.is_empty() {
                return Ok(Some(records));
            }
            until = Instant::now() + SILENCE;
        }
        Ok(None)
    }

    fn poll(&mut self, waker: &std::task::Waker) -> Poll<Result<Vec<KafkaRecord>>> {
        let (mut records, mut moved) = (Vec::new(), false);
        let (mut broken, bar) = (None, &self.bar);
        for part in &mut self.parts {
            // Registered first: what arrives from now on wakes the task.
            part.queue.register(waker);
            let (at, to) = (&mut part.at, part.to);
            let trouble = &mut self.trouble;
            ffi::consume(&part.queue, BATCH, |message| {
                let before = *at;
                match message.error() {
                    None if message.offset() < to => {
                        *at = message.offset() + 1;
                        records.push(KafkaRecord::of(message));
                    }
                    // What was appended meanwhile.
                    None => *at = to,
                    // Behind the last record there may be marks of transactions, which nobody sees.
                    Some((RDKafkaErrorCode::PartitionEOF, _)) => *at = to,
                    Some((code, text)) => note(code, text, &message, &mut broken, trouble),
                }
                moved |= *at != before;
                bar.add((*at - before).max(0).unsigned_abs());
            });
        }
        match broken {
            Some(error) => Poll::Ready(Err(error)),
            None if moved => Poll::Ready(Ok(records)),
            None => Poll::Pending,
        }
    }

    /// Serves the client's callbacks; records are in queues of their own.
    fn serve(&mut self) {
        if let Some(Err(error)) = self.reader.consumer.poll(Duration::ZERO) {
            self.trouble = Some(error.to_string());
        }
    }
}

/// Some errors end the reading, others heal.
fn note(
    code: RDKafkaErrorCode,
    text: String,
    message: &Message,
    broken: &mut Option<Error>,
    trouble: &mut Option<String>,
) {
    use RDKafkaErrorCode as Code;
    let text = format!("{}/{}: {text}", message.topic(), message.partition());
    match code {
        Code::AutoOffsetReset | Code::OffsetOutOfRange => {
            *broken = Some(Error::msg(format!(
                "{text}; the log was cut while it was read: run the command again"
            )));
        }
        Code::TopicAuthorizationFailed => {
            *broken = Some(Error::msg(format!(
                "{text}; `check --acls` prints the right to Read it"
            )));
        }
        Code::UnknownTopicOrPartition | Code::UnknownTopic => *broken = Some(Error::msg(text)),
        _ => *trouble = Some(text),
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        // Queues must be gone before their partitions are split again.
        self.parts.clear();
        if let Err(error) = self.reader.consumer.unassign() {
            tracing::debug!(%error, "logs are still fetched");
        }
    }
}

/// The reader's callbacks.
struct ReaderContext;

impl ClientContext for ReaderContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::report("reader", &error, reason);
    }
}

impl ConsumerContext for ReaderContext {}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;

    use super::*;

    #[tokio::test]
    async fn a_partition_without_a_leader_is_left_out() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("read-partly", 3, 1).unwrap();
        cluster.partition_leader("read-partly", 1, None).unwrap();
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", cluster.bootstrap_servers());
        let reader = Reader::connect(&client, "readers").await.unwrap();
        let spans = reader.spans("read-partly").await.unwrap();
        let read: Vec<_> = spans.iter().map(|span| span.partition).collect();
        assert_eq!(read, [0, 2]);
        assert_eq!(reader.leaderless("read-partly").collect::<Vec<_>>(), [1]);
    }
}
