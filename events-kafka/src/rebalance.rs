//! What a member does when partitions come and go (D8, D14).

mod answers;
mod begin;
mod commit;
mod delayed;
mod log_identity;
mod ownership;
mod starts;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use events_runtime::offset_map::TopicId;
use events_runtime::{Group, TopicPartition};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::{Builder, Handle};

use crate::ffi::{self, NativeQueue};
use crate::membership::Membership;
use crate::outage::Outage;
use crate::parked::ParkedLogs;
use crate::queue::PartitionQueue;
use crate::rights::Watch;
use crate::topic_watch::TopicWatch;
use begin::Begin;
pub(crate) use commit::{commit, commit_answered, commit_watermarks};
pub(crate) use delayed::Delayed;
pub(crate) use log_identity::{EpochWriter, LogIdentities, LogIdentity, created_again};
pub(crate) use ownership::Questions;

/// The callbacks of a member's consumer. All run on its polling thread.
pub(crate) struct MemberContext {
    pub(crate) group: Arc<Group>,
    pub(crate) handle: Handle,
    pub(crate) drain: Duration,
    /// Set right after the consumer was made; queues keep it alive.
    pub(crate) consumer: OnceLock<Weak<BaseConsumer<MemberContext>>>,
    /// Where failed keys wait; none if no handler parks.
    pub(crate) parked: Option<Arc<ParkedLogs>>,
    /// An assignment could not be carried out: the polling thread joins anew, or its partitions would wait for ever.
    pub(crate) rejoin: AtomicBool,
    /// The consumer is being closed, and another may have the group's lanes.
    pub(crate) closing: AtomicBool,
    pub(crate) membership: Arc<Membership>,
    /// See [`committing`](Self::committing).
    pub(crate) commits: Mutex<()>,
    /// Told what the cluster refuses.
    pub(crate) watch: Arc<Watch>,
    /// Told when a broker fails.
    pub(crate) outage: Arc<Outage>,
    /// Partitions that cannot be read yet.
    pub(crate) delayed: Arc<Delayed>,
    /// What is committed with positions to tell their logs from others.
    pub(crate) logs: LogIdentities,
    pub(crate) topics: Arc<TopicWatch>,
    pub(crate) questions: Questions,
}

impl MemberContext {
    /// To be held from when positions are taken until they are handed to the client. Otherwise the last position of a
    /// partition that is given up could be followed by an older one, and its next owner would do work again.
    pub(crate) fn committing(&self) -> MutexGuard<'_, ()> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn assigned(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &TopicPartitionList,
    ) -> KafkaResult<()> {
        if self.watch.is_leaving() || self.consumer.get().and_then(Weak::upgrade).is_none() {
            // The member leaves. A client that closes answers no question, and would be asked until the time is up.
            tracing::debug!(group = %self.group.plan().group, "an assignment comes while the member leaves");
            return self.assign(consumer, &TopicPartitionList::new());
        }
        let begins = self.begins(consumer, list)?;
        let assignment = self.open_or_delay(consumer, begins)?;
        self.assign(consumer, &assignment)
    }

    /// Makes the lane of a partition, which is to be read from `offset`. `ids` are those of the topics as they are now.
    fn open(
        &self,
        consumer: &BaseConsumer<Self>,
        begin: &Begin,
        offset: i64,
        ids: &BTreeMap<String, TopicId>,
    ) -> KafkaResult<()> {
        let TopicPartition { topic, partition } = &begin.partition;
        let Some(owner) = self.consumer.get().and_then(Weak::upgrade) else {
            return Err(KafkaError::Subscription("the member leaves".to_owned()));
        };
        // Split before the assignment takes effect, or early records land on the main queue.
        let Some(queue) = NativeQueue::split(&owner, topic, *partition) else {
            return Err(KafkaError::Subscription(format!(
                "no queue for {}",
                begin.partition
            )));
        };
        let found = self.identify(begin, ids);
        let parked = match (self.parked_topic(topic), &self.parked) {
            (Some(parked), Some(logs)) => {
                let generation = ffi::generation(consumer.client());
                let hint = begin.hint.clone().filter(|_| !found.parked_is_another);
                Some(logs.start(&begin.partition, parked, hint, generation)?)
            }
            _ => None,
        };
        // The embedded cluster has no ids, and refuses commits that name an epoch that is over.
        let told = found.ids.topic.is_some();
        let epoch = if told { begin.epoch } else { -1 };
        let log = LogIdentity::new(found.ids, offset, epoch, begin.metadata.clone());
        let log = Arc::new(log);
        self.logs.set(begin.partition.clone(), Arc::clone(&log));
        let mut queue = PartitionQueue::new(queue, offset, &self.watch);
        if told {
            let epochs = EpochWriter::new(log, offset, epoch);
            queue = queue.identified(epochs, Arc::clone(&self.topics));
        }
        if let Some(reason) = found.held {
            queue.hold(reason);
        }
        tracing::info!(
            group = %self.group.plan().group, partition = %begin.partition, offset, "partition assigned"
        );
        self.group.assign(
            begin.partition.clone(),
            queue,
            offset,
            &begin.metadata,
            parked,
        );
        Ok(())
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
            _ => consumer.assign(list),
        }
    }

    fn parked_topic(&self, source: &str) -> Option<&str> {
        let topic = self.group.plan().topics.get(source)?;
        topic.parked.as_deref()
    }

    /// Stops reading the parked logs of partitions, whose lanes must have ended.
    pub(crate) fn stop_parked(&self, sources: &[TopicPartition]) {
        let Some(logs) = &self.parked else { return };
        let parked = sources.iter().filter_map(|source| {
            let parked = self.parked_topic(&source.topic)?;
            Some(TopicPartition::new(parked, source.partition))
        });
        logs.stop(&parked.collect::<Vec<_>>());
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        let leaving = names(list);
        self.delayed.remove(&leaving);
        let group = &self.group.plan().group;
        if self.group.partitions().is_empty() {
            tracing::debug!(group, "no lanes are left to drain");
        } else if consumer.assignment_lost() {
            // Somebody else owns them by now: nothing may be committed.
            self.membership.lost();
            let report = wait(&self.handle, self.group.lose(&leaving));
            tracing::warn!(
                group,
                partitions = leaving.len(),
                abandoned = report.abandoned,
                "partitions were lost"
            );
        } else {
            let revoked = wait(&self.handle, self.group.revoke(&leaving, self.drain));
            let turn = self.committing();
            commit_watermarks(consumer, &revoked.positions, CommitMode::Async);
            commit(consumer, &revoked.positions, CommitMode::Async);
            drop(turn);
            self.logs.remove(&leaving);
            tracing::info!(group, partitions = leaving.len(), report = %revoked.report, "partitions revoked");
        }
        self.stop_parked(&leaving);
        self.unassign(consumer, &leaving)
    }

    fn unassign(
        &self,
        consumer: &BaseConsumer<Self>,
        leaving: &[TopicPartition],
    ) -> KafkaResult<()> {
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => {
                // After a rebalance that failed the group gives up what the client never had, and refuses to take away.
                let assigned = consumer.assignment()?;
                let mut left = TopicPartitionList::new();
                for TopicPartition { topic, partition } in leaving {
                    if assigned.find_partition(topic, *partition).is_some() {
                        left.add_partition(topic, *partition);
                    }
                }
                consumer.incremental_unassign(&left)
            }
            _ => consumer.unassign(),
        }
    }
}

/// Waits on this thread and by a clock of its own. The runtime's stands still while handlers block all of its threads, and
/// with it every deadline.
pub(crate) fn wait<T>(handle: &Handle, future: impl Future<Output = T>) -> T {
    match Builder::new_current_thread().enable_time().build() {
        Ok(own) => own.block_on(future),
        // It asks the system for nothing; the runtime's clock is better than none.
        Err(_) => handle.block_on(future),
    }
}

fn names(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    let names = elements.iter();
    names
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect()
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        crate::client_log::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.suspect(&error);
        self.membership.suspect(&error);
        self.outage.suspect(&error);
        crate::client_log::report("consumer", &error, reason);
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let group = &self.group.plan().group;
        let closing = self.closing.load(Ordering::Acquire);
        let outcome = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS if closing => {
                self.assign(consumer, &TopicPartitionList::new())
            }
            _ if closing => self.unassign(consumer, &names(list)),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoked(consumer, list),
            other => {
                tracing::error!(group, error = ?other, "the rebalance failed");
                consumer.unassign()
            }
        };
        if closing {
            return;
        }
        let assigning = RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if event == assigning && outcome.is_ok() {
            self.membership.assigned();
        }
        if let Err(error) = outcome {
            self.watch.suspect(&error);
            if self.watch.is_leaving() {
                tracing::debug!(group, %error, "the member leaves within a rebalance");
            } else {
                tracing::error!(group, %error, "the rebalance could not be carried out; joining anew");
            }
            // Without an answer to the callback the group would wait for this member for ever; with this one it has no
            // partitions of it, until the polling thread joins anew.
            self.rejoin.store(true, Ordering::Release);
            if event == assigning {
                // Lanes that were made already must not commit where somebody else reads, nor their parked logs be fetched.
                let made = names(list);
                self.delayed.remove(&made);
                wait(&self.handle, self.group.lose(&made));
                self.stop_parked(&made);
            }
            let answer = match consumer.rebalance_protocol() {
                // Nothing of the list is assigned, and the client takes no less than nothing away from an assignment.
                RebalanceProtocol::Cooperative if event == assigning => {
                    consumer.incremental_assign(&TopicPartitionList::new())
                }
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
                _ => consumer.unassign(),
            };
            let _ = answer.inspect_err(|error| tracing::error!(group, %error, "not left"));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, list: &TopicPartitionList) {
        // Of a partition that was given up, or a question for its owner.
        self.answered(result, list);
    }
}

#[cfg(test)]
mod requests;
#[cfg(test)]
mod tests;
