//! What a member does when partitions come and go (D8, D14).

mod answers;
mod begin;
mod delayed;
mod gate;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use events_runtime::{Group, Position, TopicPartition, failpoints};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::{Builder, Handle};

use crate::ffi::{self, NativeQueue};
use crate::membership::Membership;
use crate::outage::Outage;
use crate::parked::ParkedLogs;
use crate::queue::PartitionQueue;
use crate::rights::Watch;
use begin::Begin;
pub(crate) use delayed::Delayed;
pub(crate) use gate::Gate;

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
        if self.consumer.get().and_then(Weak::upgrade).is_none() {
            // The member leaves. A client that closes answers no question, and would be asked until the time is up.
            tracing::debug!(group = %self.group.plan().group, "an assignment comes while the member leaves");
            return self.assign(consumer, &TopicPartitionList::new());
        }
        let begins = self.begins(consumer, list)?;
        let assignment = self.open_or_delay(consumer, begins)?;
        self.assign(consumer, &assignment)
    }

    /// Makes the lane of a partition, and answers from where it is to be read.
    fn open(&self, consumer: &BaseConsumer<Self>, begin: &Begin) -> KafkaResult<i64> {
        let TopicPartition { topic, partition } = &begin.partition;
        let Some(owner) = self.consumer.get().and_then(Weak::upgrade) else {
            return Err(KafkaError::Subscription("the member leaves".to_owned()));
        };
        let offset = match begin.offset {
            Some(offset) => offset,
            None => self.start(consumer, &begin.partition)?,
        };
        // Split before the assignment takes effect, or early records land on the main queue.
        let Some(queue) = NativeQueue::split(&owner, topic, *partition) else {
            return Err(KafkaError::Subscription(format!(
                "no queue for {}",
                begin.partition
            )));
        };
        let parked = match (self.parked_topic(topic), &self.parked) {
            (Some(parked), Some(logs)) => {
                let generation = ffi::generation(consumer.client());
                Some(logs.start(&begin.partition, parked, begin.hint.clone(), generation)?)
            }
            _ => None,
        };
        let mut queue = PartitionQueue::new(queue, offset, &self.watch);
        if parked.is_some() {
            queue.opens(Gate::close(&owner, &begin.partition)?);
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
        Ok(offset)
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

/// Commits positions: stored, so that giving a partition up commits them too, and sent now, because the client's own timer
/// sends only offsets that moved, and a new map under an old watermark must not wait (D3).
pub(crate) fn commit(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    mode: CommitMode,
) {
    if positions.is_empty() {
        return;
    }
    if consumer.assignment_lost() {
        // Somebody else owns the partitions by now. A coordinator whose group has no members any more would take them.
        tracing::warn!(group = %consumer.context().group.plan().group, "the assignment was lost, so what was done since the last commit is not committed");
        return;
    }
    for part in parts(positions) {
        send(consumer, part, mode);
    }
}

/// The coordinator writes what one request commits as one batch, and refuses all of it above a limit, a megabyte by default.
const REQUEST: usize = 256 << 10;

/// The positions, as many at once as a request may commit.
fn parts(
    mut rest: &[(TopicPartition, Position)],
) -> impl Iterator<Item = &[(TopicPartition, Position)]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |(partition, position): &&(TopicPartition, Position)| {
            bytes += 128 + partition.topic.len() + position.metadata.len();
            bytes <= REQUEST
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (part, behind) = rest.split_at(count);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// Commits the watermarks alone of partitions that are given up, where the broker may refuse what is to be committed with
/// them: their lanes are gone, so a refused commit could not be made again (D3).
pub(crate) fn commit_watermarks(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    mode: CommitMode,
) {
    let group = &consumer.context().group;
    let unsure = positions
        .iter()
        .filter(|(_, position)| !group.takes_metadata(position.metadata.len()));
    let alone = unsure.map(|(partition, position)| {
        let position = Position {
            metadata: String::new(),
            ..position.clone()
        };
        (partition.clone(), position)
    });
    commit(consumer, &alone.collect::<Vec<_>>(), mode);
}

fn send(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    mode: CommitMode,
) {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (partition, position) in positions {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        // A watermark is an offset of the log, so it is in range.
        let offset = Offset::Offset(position.watermark);
        if element.set_offset(offset).is_ok() {
            element.set_metadata(&position.metadata);
        }
    }
    reached("commit-before", positions);
    if let Err(error) = consumer.store_offsets(&list) {
        tracing::debug!(%error, "a partition had gone before its offset was stored");
    }
    // Where parked logs are to be read from goes along, but is never stored: those partitions are not of the group.
    for (partition, position) in positions {
        let Some(parked) = &position.parked else {
            continue;
        };
        let mut element = list.add_partition(&parked.topic, partition.partition);
        if element.set_offset(Offset::Offset(parked.offset)).is_ok() {
            element.set_metadata(&parked.claim);
        }
    }
    reached("store-after", positions);
    let sent = match mode {
        CommitMode::Sync => consumer.commit(&list, mode),
        CommitMode::Async => ffi::commit(consumer, &list),
    };
    match sent {
        Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
        Err(error) => consumer.context().refused(&error, &list),
    }
    reached("commit-after", positions);
}

/// For the fault bench.
fn reached(point: &'static str, positions: &[(TopicPartition, Position)]) {
    for (partition, position) in positions {
        failpoints::reached(point, partition, position.watermark);
    }
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
            tracing::error!(group, %error, "the rebalance could not be carried out; joining anew");
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
        self.answered(result, list);
    }
}

#[cfg(test)]
mod tests;
