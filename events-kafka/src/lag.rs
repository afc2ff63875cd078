//! How far a consumer group is behind, as the cluster tells it: nobody of the group needs to run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use events_core::Start;
use events_runtime::{GroupPlan, TopicPartition};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::client_log;
use crate::error::KafkaError;
use crate::options::ClientOptions;

/// How long the cluster may take to answer one question.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take to hand over the oldest record of every partition of a topic.
const OLDEST: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
const NO_LEADER: &str =
    "the partition has no leader, so its lag is not known: bring back the broker that leads it";

/// How far a group is behind in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionLag {
    pub(crate) partition: TopicPartition,
    /// What is committed; none before the first commit.
    pub(crate) committed: Option<i64>,
    /// The first offset of the log, and the one behind its last; none of a partition without a leader.
    pub(crate) log: Option<(i64, i64)>,
    /// Offsets from the first record that is not done to the log's end; those that retention has removed do not count. None
    /// where nothing is committed and the group does not start at the log's start.
    pub(crate) records: Option<u64>,
    /// The oldest record that is not done, if there is one.
    pub(crate) oldest: Option<Oldest>,
    /// What is strange about it.
    pub(crate) note: Option<String>,
}

/// The oldest record that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Oldest {
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub(crate) timestamp: Option<i64>,
}

/// Asks the cluster. Blocks for as long as its answers take.
pub(crate) fn of(
    plan: &GroupPlan,
    client: &ClientOptions,
) -> Result<Vec<PartitionLag>, KafkaError> {
    let address = client.address().unwrap_or_default().to_owned();
    ask(plan, client).map_err(|error| KafkaError::cluster(&address, "tell the lag", &error))
}

fn ask(plan: &GroupPlan, client: &ClientOptions) -> KafkaResult<Vec<PartitionLag>> {
    // It never subscribes, so the group does not notice it, and it commits nothing.
    let mut config = client.parked_reader(&plan.group, &plan.settings);
    config.set("enable.partition.eof", "true");
    // One record of each partition is wanted.
    config.set("queued.min.messages", "1");
    config.set("queued.max.messages.kbytes", "256");
    config.set("fetch.message.max.bytes", "65536");
    let consumer = BaseConsumer::from_config_and_context(&config, LagContext)?;
    let mut lags = Vec::new();
    for topic in plan.topics.keys() {
        let mut partitions = topic_lag(&consumer, plan, topic)?;
        read_oldest(&consumer, topic, &mut partitions)?;
        lags.extend(partitions);
    }
    Ok(lags)
}

/// The callbacks of the consumer that asks.
struct LagContext;

impl ClientContext for LagContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        // The end of a log is what is asked for.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            client_log::report("consumer", &error, reason);
        }
    }
}

impl ConsumerContext for LagContext {}

fn topic_lag(
    consumer: &BaseConsumer<LagContext>,
    plan: &GroupPlan,
    topic: &str,
) -> KafkaResult<Vec<PartitionLag>> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER)?;
    let known = metadata.topics().iter().find(|known| known.name() == topic);
    let mut all = TopicPartitionList::new();
    let mut leaderless = BTreeSet::new();
    for partition in known.map(|topic| topic.partitions()).unwrap_or_default() {
        all.add_partition(topic, partition.id());
        if partition.leader() < 0 {
            leaderless.insert(partition.id());
        }
    }
    if all.count() == 0 {
        tracing::warn!(topic, "the cluster has no such topic");
        return Ok(Vec::new());
    }
    let committed = consumer.committed_offsets(all, ANSWER)?;
    let mut lags = Vec::with_capacity(committed.count());
    for element in committed.elements() {
        let log = match leaderless.contains(&element.partition()) {
            true => None,
            false => Some(consumer.fetch_watermarks(topic, element.partition(), ANSWER)?),
        };
        let committed = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let (records, note) = match log {
            Some(log) => behind(committed, log, plan.start),
            None => (None, Some(NO_LEADER.to_owned())),
        };
        lags.push(PartitionLag {
            partition: TopicPartition::new(topic, element.partition()),
            committed,
            log,
            records,
            oldest: None,
            note,
        });
    }
    lags.sort_by(|one, other| one.partition.cmp(&other.partition));
    Ok(lags)
}

/// Records that are not done, and what is strange about that.
fn behind(
    committed: Option<i64>,
    (low, high): (i64, i64),
    start: Start,
) -> (Option<u64>, Option<String>) {
    let all = (high - low).max(0).unsigned_abs();
    match committed {
        None if start == Start::Earliest => (Some(all), Some("nothing committed yet".to_owned())),
        None => {
            let note = format!("nothing committed yet; the group starts at {start}");
            (None, Some(note))
        }
        Some(offset) if offset < low => {
            let note = format!(
                "offsets {offset} to {} are gone from the log: records that were not done, or markers of transactions",
                low - 1
            );
            (Some(all), Some(note))
        }
        Some(offset) if offset > high => {
            let note = format!(
                "offset {offset} is committed, but the log ends at {high}: was the topic made anew?"
            );
            (None, Some(note))
        }
        Some(offset) => (Some((high - offset).unsigned_abs()), None),
    }
}

/// Reads the oldest record that is not done of each partition that has one.
fn read_oldest(
    consumer: &BaseConsumer<LagContext>,
    topic: &str,
    lags: &mut [PartitionLag],
) -> KafkaResult<()> {
    let mut wanted = TopicPartitionList::new();
    let mut missing: BTreeMap<i32, usize> = BTreeMap::new();
    for (place, lag) in lags.iter().enumerate() {
        if lag.records.is_some_and(|records| records > 0) {
            let (low, _) = lag.log.unwrap_or_default();
            let from = lag.committed.unwrap_or(low).max(low);
            wanted.add_partition_offset(topic, lag.partition.partition, Offset::Offset(from))?;
            missing.insert(lag.partition.partition, place);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    consumer.assign(&wanted)?;
    let asked = Instant::now();
    while !missing.is_empty() && asked.elapsed() < OLDEST {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                if let Some(place) = missing.remove(&message.partition()) {
                    let key = message.key();
                    lags[place].oldest = Some(Oldest {
                        offset: message.offset(),
                        key: key.map(|key| String::from_utf8_lossy(key).into_owned()),
                        timestamp: message.timestamp().to_millis(),
                    });
                }
            }
            // There is no record: only markers of transactions, or what an abort took away.
            Some(Err(ClientError::PartitionEOF(partition))) => {
                if let Some(place) = missing.remove(&partition) {
                    lags[place].records = Some(0);
                }
            }
            Some(Err(error)) => {
                client_log::report("consumer", &error, "while reading the oldest records");
            }
            None => {}
        }
    }
    consumer.unassign()
}

#[cfg(test)]
mod tests {
    use events_core::{event, handler};
    use events_runtime::Service;
    use rdkafka::mocking::MockCluster;

    use super::*;

    #[event(topic = "lagging", key = id)]
    struct Lagging {
        id: String,
    }

    #[handler(service = "lagging")]
    async fn ignore(_lagging: Lagging) {}

    #[test]
    fn a_partition_without_a_leader_is_named_and_the_others_are_shown() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("lagging", 3, 1).unwrap();
        cluster.partition_leader("lagging", 1, None).unwrap();
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", cluster.bootstrap_servers());
        let plan = Service::new("lagging").plan().unwrap().remove(0);
        let lags = of(&plan, &client).unwrap();
        let records: Vec<_> = lags.iter().map(|lag| lag.records).collect();
        assert_eq!(records, [Some(0), None, Some(0)]);
        assert_eq!(lags[1].note.as_deref(), Some(NO_LEADER));
    }

    #[test]
    fn lag_is_clamped_to_the_log_and_says_what_is_strange() {
        let of = |committed, log, start| {
            let (records, note) = behind(committed, log, start);
            (records, note.unwrap_or_default())
        };
        assert_eq!(
            of(Some(7), (0, 10), Start::Earliest),
            (Some(3), String::new())
        );
        assert_eq!(
            of(Some(10), (0, 10), Start::Latest),
            (Some(0), String::new())
        );
        let (records, note) = of(Some(2), (5, 10), Start::Earliest);
        assert_eq!(
            (records, note.contains("2 to 4")),
            (Some(5), true),
            "{note}"
        );
        let (records, note) = of(Some(12), (0, 10), Start::Earliest);
        assert_eq!(
            (records, note.contains("made anew")),
            (None, true),
            "{note}"
        );
        assert_eq!(of(None, (4, 10), Start::Earliest).0, Some(6));
        assert_eq!(of(None, (4, 10), Start::Latest).0, None);
    }
}
