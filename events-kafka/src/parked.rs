//! The parked logs of a member's partitions.
//!
//! They belong to whoever owns the source partition, so they are read by manual assignment, and by a consumer of their own:
//! the group's rebalances know nothing of them. Where to read from is committed by the member itself, together with the
//! source's position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events_runtime::{GroupPlan, ParkedStart, TopicPartition};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::client_log;
use crate::ffi::NativeQueue;
use crate::log_offsets::{self, log_offsets};
use crate::options::ClientOptions;
use crate::patience::{ANSWER, BRIEF, briefly, patiently};
use crate::queue::PartitionQueue;
use crate::rights::Watch;
use crate::sink::LaneProducer;
use crate::topics;

/// Finished facts that are worth a request to delete them.
const TRIM: i64 = 10_000;

/// The parked logs of a member's partitions.
pub(crate) struct ParkedLogs {
    reader: Arc<BaseConsumer<ReaderContext>>,
    /// Reads nothing: what is asked of it does not wait behind a fetch that waits for records, half a second for each log.
    asker: BaseConsumer<ReaderContext>,
    client: ClientOptions,
    handle: Handle,
    watch: Arc<Watch>,
    assigned: Mutex<BTreeSet<TopicPartition>>,
    /// Writes to the logs.
    lanes: Arc<LaneProducer>,
    /// The partitions of each parked topic that all clients know.
    known: Mutex<BTreeMap<String, usize>>,
    /// What was asked for logs that are about to be started: the first offset of each, and the one behind its last.
    asked: Mutex<BTreeMap<TopicPartition, KafkaResult<(i64, i64)>>>,
    /// Below what each log was trimmed, as far as this member knows.
    trimmed: Mutex<BTreeMap<TopicPartition, i64>>,
    /// Requests to delete finished facts; they end with the member.
    trims: Mutex<JoinSet<()>>,
}

/// What was committed for a parked log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) offset: i64,
    pub(crate) claim: String,
}

impl ParkedLogs {
    /// None where no handler of the group parks.
    pub(crate) fn open(
        plan: &GroupPlan,
        client: &ClientOptions,
        handle: Handle,
        watch: Arc<Watch>,
        lanes: &Arc<LaneProducer>,
    ) -> KafkaResult<Option<Self>> {
        if plan.topics.values().all(|topic| topic.parked.is_none()) {
            return Ok(None);
        }
        let config = client.parked_reader(&plan.group, &plan.settings);
        let open = || BaseConsumer::from_config_and_context(&config, ReaderContext);
        let (reader, asker) = (open()?, open()?);
        Ok(Some(Self {
            reader: Arc::new(reader),
            asker,
            client: client.clone(),
            handle,
            watch,
            assigned: Mutex::default(),
            lanes: Arc::clone(lanes),
            known: Mutex::default(),
            asked: Mutex::default(),
            trimmed: Mutex::default(),
            trims: Mutex::default(),
        }))
    }

    /// Asks what `start` has to know of these logs, all together.
    pub(crate) fn ask(&self, logs: &[TopicPartition]) {
        let mut last: BTreeMap<&str, &TopicPartition> = BTreeMap::new();
        for log in logs {
            let last = last.entry(&log.topic).or_insert(log);
            if log.partition > last.partition {
                *last = log;
            }
        }
        let mut asked = BTreeMap::new();
        let mut failed: BTreeMap<&str, KafkaError> = BTreeMap::new();
        for (topic, last) in last {
            if let Err(error) = self.grow(last).and_then(|()| self.learn(last)) {
                failed.insert(topic, error);
            }
        }
        let mut found = BTreeMap::new();
        for log in logs {
            match failed.get(&*log.topic) {
                Some(error) => drop(asked.insert(log.clone(), Err(error.clone()))),
                None => drop(found.insert(log.clone(), Offset::Beginning)),
            }
        }
        let mut lows = log_offsets(&self.asker, &self.watch, &found);
        found.values_mut().for_each(|time| *time = Offset::End);
        let highs = log_offsets(&self.asker, &self.watch, &found);
        for (log, high) in highs {
            let low = lows.remove(&log);
            let ends = low.map(|low| Ok((log_offsets::offset(low)?, log_offsets::offset(high)?)));
            asked.extend(ends.map(|ends| (log, ends)));
        }
        *lock(&self.asked) = asked;
    }

    /// Begins to read the log of `source` that lies in `topic`: from the hint, or from the log's start, never from its end.
    /// It must have been asked for.
    pub(crate) fn start(
        &self,
        source: &TopicPartition,
        topic: &str,
        hint: Option<Hint>,
        generation: i64,
    ) -> KafkaResult<ParkedStart<PartitionQueue>> {
        let name = TopicPartition::new(topic, source.partition);
        self.stop(std::slice::from_ref(&name));
        let asked = lock(&self.asked).remove(&name);
        let unknown = || {
            let text = format!("nobody has asked how long {name} is");
            Err(KafkaError::Subscription(text))
        };
        let (low, high) = asked.unwrap_or_else(unknown)?;
        let Hint { offset, claim } = match hint {
            Some(hint) if (low..=high).contains(&hint.offset) => hint,
            outside => {
                if let Some(Hint { offset, .. }) = outside {
                    tracing::warn!(partition = %name, offset, low, high, "the committed position of the parked log is not in it; reading all of it");
                }
                Hint {
                    offset: low,
                    claim: String::new(),
                }
            }
        };
        // Split before it is assigned, as for every partition.
        let queue = NativeQueue::split(&self.reader, topic, name.partition)
            .ok_or_else(|| KafkaError::Subscription(format!("no queue for {name}")))?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, name.partition, Offset::Offset(offset))?;
        self.reader.incremental_assign(&list)?;
        lock(&self.assigned).insert(name);
        Ok(ParkedStart {
            topic: topic.to_owned(),
            queue: PartitionQueue::new(queue, offset, &self.watch),
            generation,
            claim,
        })
    }

    /// A source may have got partitions since the start: its parked topic gets them before their first record is
    /// dispatched.
    fn grow(&self, name: &TopicPartition) -> KafkaResult<()> {
        let metadata = patiently(&self.watch, || {
            self.asker.fetch_metadata(Some(&name.topic), ANSWER)
        })?;
        let count = |topic: &rdkafka::metadata::MetadataTopic| topic.partitions().len();
        let found = metadata.topics().first().map_or(0, count);
        let needed = usize::try_from(name.partition).unwrap_or(0) + 1;
        if found >= needed {
            return Ok(());
        }
        let grown = topics::grow_parked(&self.client, &name.topic, needed);
        self.handle
            .block_on(grown)
            .map_err(|error| KafkaError::Subscription(format!("{name}: {error}")))
    }

    /// Sees to it that the reader and the lanes' producer know the log: each has a picture of the cluster of its own, which may be
    /// older than the partition.
    fn learn(&self, name: &TopicPartition) -> KafkaResult<()> {
        let needed = usize::try_from(name.partition).unwrap_or(0) + 1;
        let known = lock(&self.known).get(&name.topic).copied();
        if known.is_some_and(|known| known >= needed) {
            return Ok(());
        }
        let known = briefly(&self.watch, || {
            let metadata = self.reader.fetch_metadata(Some(&name.topic), BRIEF)?;
            let topic = metadata.topics().first();
            let read = topic.map_or(0, |topic| topic.partitions().len());
            let written = self.lanes.learn(&name.topic, BRIEF)?;
            let known = read.min(written);
            if known < needed {
                // The broker that was asked has not heard of it yet.
                let code = RDKafkaErrorCode::UnknownPartition;
                return Err(KafkaError::MetadataFetch(code));
            }
            Ok(known)
        })?;
        lock(&self.known).insert(name.topic.clone(), known);
        Ok(())
    }

    /// Stops reading logs, whose lanes must have ended.
    pub(crate) fn stop(&self, logs: &[TopicPartition]) {
        let mut assigned = lock(&self.assigned);
        let mut trimmed = lock(&self.trimmed);
        let mut list = TopicPartitionList::new();
        for name in logs {
            // Whoever owns it next trims it; should it come back as a topic made anew, its offsets begin anew too.
            trimmed.remove(name);
            if assigned.remove(name) {
                list.add_partition(&name.topic, name.partition);
            }
        }
        if list.count() > 0
            && let Err(error) = self.reader.incremental_unassign(&list)
        {
            tracing::warn!(%error, "parked logs are still fetched");
        }
    }

    /// Serves the reader's callbacks; its records are in queues of their own.
    pub(crate) fn serve(&self) {
        // The panic hook has reported a panic.
        while lock(&self.trims).try_join_next().is_some() {}
        for client in [&*self.reader, &self.asker] {
            if let Some(Err(error)) = client.poll(Duration::ZERO) {
                self.watch.suspect(&error);
                client_log::report("reader of parked records", &error, "while polling");
            }
        }
    }

    /// Positions were committed: what lies below a log's is not needed any more.
    pub(crate) fn committed(&self, list: &TopicPartitionList) {
        if self.client.is_embedded() {
            // It deletes nothing on request.
            return;
        }
        for element in list.elements() {
            let name = TopicPartition::new(element.topic(), element.partition());
            let Offset::Offset(offset) = element.offset() else {
                continue;
            };
            // In the order of `stop`, and both at once, or a log that stops meanwhile would be remembered.
            let assigned = lock(&self.assigned);
            if !assigned.contains(&name) {
                continue;
            }
            let mut trimmed = lock(&self.trimmed);
            let before = trimmed.entry(name.clone()).or_insert(0);
            if offset - *before < TRIM {
                continue;
            }
            *before = offset;
            let client = self.client.clone();
            let trim = async move {
                if let Err(error) = topics::trim(&client, &name, offset).await {
                    tracing::warn!(partition = %name, offset, %error, "finished facts of the parked log were not deleted; they cost only room");
                }
            };
            lock(&self.trims).spawn_on(trim, &self.handle);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of users runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reader's callbacks.
pub(crate) struct ReaderContext;

impl ClientContext for ReaderContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client_log::report("reader of parked records", &error, reason);
    }
}

impl ConsumerContext for ReaderContext {}
