//! Partitions that cannot be read yet, while the others go on (D6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use events_runtime::TopicPartition;
use rdkafka::consumer::{BaseConsumer, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::begin::Begin;
use crate::patience::BRIEF;
use crate::rebalance::MemberContext;

/// How often it is asked whether such a partition can be read.
const AGAIN: Duration = Duration::from_millis(250);
const NO_LEADER: &str = "has no leader";

/// Partitions that a member has been assigned and that have no lane yet. It outlives the member's consumers.
#[derive(Default)]
pub(crate) struct Delayed(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: BTreeMap<TopicPartition, Waiting>,
    /// When they were tried last.
    tried: Option<Instant>,
}

struct Waiting {
    begin: Begin,
    reason: String,
}

impl Delayed {
    pub(crate) fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// Why partitions wait, a line for each.
    #[cfg(feature = "status")]
    pub(crate) fn reasons(&self) -> Vec<String> {
        let state = self.state();
        let waiting = state.waiting.iter();
        waiting
            .map(|(partition, waiting)| format!("partition {partition} waits: {}", waiting.reason))
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.state().waiting.clear();
    }

    pub(super) fn remove(&self, partitions: &[TopicPartition]) {
        let mut state = self.state();
        for partition in partitions {
            state.waiting.remove(partition);
        }
    }

    fn add(&self, group: &str, begin: Begin, reason: String) {
        let partition = begin.partition.clone();
        let mut state = self.state();
        let waiting = Waiting { begin, reason };
        let reason = waiting.reason.clone();
        if state.waiting.insert(partition.clone(), waiting).is_none() {
            tracing::warn!(
                group, %partition, reason,
                "the partition cannot be read yet: it waits, and the others go on; bring back the broker that leads it"
            );
        }
    }

    /// Those that are to be tried now.
    fn due(&self) -> Vec<Begin> {
        let state = self.state();
        if state.tried.is_some_and(|tried| tried.elapsed() < AGAIN) {
            return Vec::new();
        }
        let waiting = state.waiting.values();
        waiting.map(|waiting| waiting.begin.clone()).collect()
    }

    fn tried(&self) {
        self.state().tried = Some(Instant::now());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemberContext {
    /// Makes lanes of those partitions that can be read, and notes the others. Answers what is to be assigned.
    pub(super) fn open_or_delay(
        &self,
        consumer: &BaseConsumer<Self>,
        begins: Vec<Begin>,
    ) -> KafkaResult<TopicPartitionList> {
        let group = &self.group.plan().group;
        let leaderless = self.leaderless(consumer, &begins);
        let asked = Instant::now();
        let ids = self.topic_ids(consumer, &begins);
        for begin in &begins {
            let topic = &*begin.partition.topic;
            let id = ids.as_ref().ok().and_then(|ids| ids.get(topic));
            if let Some(id) = id {
                self.topics.assign(topic, *id, asked);
            }
        }
        let mut starts = self.ask(consumer, &begins, &leaderless);
        let mut assignment = TopicPartitionList::with_capacity(begins.len());
        for begin in begins {
            if self.watch.is_leaving() {
                break;
            }
            let parked = self.parked_log(&begin.partition);
            let reason = if leaderless.contains(&begin.partition) {
                format!("it {NO_LEADER}")
            } else if let Some(parked) = parked.filter(|parked| leaderless.contains(parked)) {
                format!("its parked log {parked} {NO_LEADER}")
            } else {
                let TopicPartition { topic, partition } = &begin.partition;
                let offset = begin.offset.map(Ok);
                let offset = offset.or_else(|| starts.remove(&begin.partition));
                let offset = offset.unwrap_or(Err(KafkaError::OffsetFetch(Code::NoOffset)));
                let opened = offset.and_then(|offset| {
                    let ids = ids.as_ref().map_err(KafkaError::clone)?;
                    self.open(consumer, &begin, offset, ids).map(|()| offset)
                });
                match opened {
                    Ok(offset) => {
                        let offset = Offset::Offset(offset);
                        assignment.add_partition_offset(topic, *partition, offset)?;
                        continue;
                    }
                    Err(error) => {
                        self.watch.suspect(&error);
                        self.outage.suspect(&error);
                        error.to_string()
                    }
                }
            };
            self.delayed.add(group, begin, reason);
        }
        self.delayed.tried();
        Ok(assignment)
    }

    /// Asks what must be known of these partitions before their lanes are made: in one request to
    /// each leader, not in one for each partition, or a member with a thousand would need minutes.
    /// Answers where those start for which nothing is committed.
    fn ask(
        &self,
        consumer: &BaseConsumer<Self>,
        begins: &[Begin],
        leaderless: &BTreeSet<TopicPartition>,
    ) -> BTreeMap<TopicPartition, KafkaResult<i64>> {
        let led = |begin: &&Begin| {
            let parked = self.parked_log(&begin.partition);
            let logs = [Some(&begin.partition), parked.as_ref()];
            !logs
                .into_iter()
                .flatten()
                .any(|log| leaderless.contains(log))
        };
        let begins: Vec<_> = begins.iter().filter(led).collect();
        if let Some(logs) = &self.parked {
            let parked = begins
                .iter()
                .filter_map(|begin| self.parked_log(&begin.partition));
            logs.ask(&parked.collect::<Vec<_>>());
        }
        let without = begins.iter().filter(|begin| begin.offset.is_none());
        let without: Vec<_> = without.map(|begin| &begin.partition).collect();
        self.starts(consumer, &without)
    }

    fn parked_log(&self, source: &TopicPartition) -> Option<TopicPartition> {
        let parked = self.parked_topic(&source.topic)?;
        Some(TopicPartition::new(parked, source.partition))
    }

    /// Which of these partitions, and of their parked logs, have no leader. Empty where the cluster does not tell.
    fn leaderless(
        &self,
        consumer: &BaseConsumer<Self>,
        begins: &[Begin],
    ) -> BTreeSet<TopicPartition> {
        let sources: BTreeSet<_> = begins.iter().map(|begin| &*begin.partition.topic).collect();
        let parked = sources.iter().filter_map(|topic| self.parked_topic(topic));
        let mut found = BTreeSet::new();
        for topic in sources.iter().copied().chain(parked) {
            let Ok(metadata) = consumer.fetch_metadata(Some(topic), BRIEF) else {
                continue;
            };
            let partitions = metadata
                .topics()
                .iter()
                .flat_map(|topic| topic.partitions());
            let without = partitions.filter(|partition| partition.leader() < 0);
            found.extend(without.map(|partition| TopicPartition::new(topic, partition.id())));
        }
        found
    }

    /// Tries the partitions again that could not be read when they were assigned.
    pub(crate) fn try_delayed(&self) {
        let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) else {
            return;
        };
        let begins = self.delayed.due();
        if begins.is_empty() || self.watch.is_leaving() || consumer.assignment_lost() {
            return;
        }
        if !matches!(
            consumer.rebalance_protocol(),
            RebalanceProtocol::Cooperative
        ) {
            // Only a whole assignment can be changed there: the member joins again once one can be read.
            let leaderless = self.leaderless(&consumer, &begins);
            let led = begins
                .iter()
                .any(|begin| !leaderless.contains(&begin.partition));
            self.rejoin.fetch_or(led, Ordering::AcqRel);
            self.delayed.tried();
            return;
        }
        let group = &self.group.plan().group;
        let opened = self
            .open_or_delay(&consumer, begins)
            .and_then(|assignment| {
                let opened = super::names(&assignment);
                if !opened.is_empty() {
                    consumer.incremental_assign(&assignment)?;
                }
                Ok(opened)
            });
        match opened {
            Ok(opened) => {
                self.delayed.remove(&opened);
                for partition in opened {
                    tracing::info!(group, %partition, "the partition can be read, and goes on");
                }
            }
            Err(error) => {
                tracing::error!(group, %error, "a partition that waited cannot be assigned; the member joins again");
                self.rejoin.store(true, Ordering::Release);
            }
        }
    }
}
