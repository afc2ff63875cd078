//! A member of a consumer group: takes partitions, gives them back, commits positions.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events_runtime::{
    Group, GroupPlan, LaneStatus, ParkedStart, Position, ShutdownReport, TopicPartition,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior};

use crate::broker::Broker;
use crate::producer::Producer;
use crate::queue::LogQueue;
use crate::start;

/// How long lanes may take to say how far they are: one whose handler blocks its thread does not.
const ANSWER: Duration = Duration::from_millis(100);

/// A member of a consumer group. It leaves its group when it is dropped.
pub(crate) struct Member {
    broker: Broker,
    id: u64,
    group: Group,
    /// Its partitions may have changed.
    changed: Arc<Notify>,
    /// It shall drain and end.
    leaving: Notify,
    /// Partitions that were not started, and why.
    holding: Mutex<BTreeMap<TopicPartition, String>>,
}

impl Member {
    pub(crate) fn join(broker: Broker, plan: Arc<GroupPlan>) -> Self {
        let changed = Arc::new(Notify::new());
        let topics = plan.topics.keys().cloned().collect();
        let id = {
            let mut state = broker.state();
            let id = state.group(&plan.group).join(topics, Arc::clone(&changed));
            state.rebalance(&plan.group);
            id
        };
        let publish = Arc::new(Producer(broker.clone()));
        Self {
            group: Group::new(plan, publish, Handle::current()),
            broker,
            id,
            changed,
            leaving: Notify::new(),
            holding: Mutex::default(),
        }
    }

    /// Serves until it is told to leave; then drains, commits, and leaves.
    pub(crate) async fn serve(self: Arc<Self>) -> ShutdownReport {
        let mut tick = tokio::time::interval(self.plan().settings.commit_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = self.leaving.notified() => break,
                () = self.changed.notified() => self.committing(&mut tick, self.follow()).await,
                _ = tick.tick() => self.tick().await,
                () = self.group.commit_due() => self.commit_changed().await,
            }
        }
        let shutdown = self.group.shutdown(self.plan().settings.drain);
        let revoked = self.committing(&mut tick, shutdown).await;
        self.commit(revoked.positions);
        revoked.report
    }

    /// Waits for what a rebalance or a drain does, and commits meanwhile as at any other time.
    async fn committing<T>(&self, tick: &mut Interval, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = tick.tick() => self.tick().await,
                () = self.group.commit_due() => self.commit_changed().await,
            }
        }
    }

    /// Tells it to drain and end.
    pub(crate) fn leave(&self) {
        self.leaving.notify_one();
    }

    /// Drops everything under way, without a commit.
    pub(crate) async fn kill(&self) {
        self.group.lose(&self.group.partitions()).await;
    }

    /// Gives back what is another's, and takes what is free.
    async fn follow(&self) {
        let leaving = self
            .broker
            .state()
            .group(&self.plan().group)
            .to_revoke(self.id);
        if !leaving.is_empty() {
            let revoked = self
                .group
                .revoke(&leaving, self.plan().settings.drain)
                .await;
            self.commit(revoked.positions);
            self.holding()
                .retain(|partition, _| !leaving.contains(partition));
            self.broker
                .state()
                .group(&self.plan().group)
                .release(self.id, &leaving);
        }
        let taken = self
            .broker
            .state()
            .group(&self.plan().group)
            .acquire(self.id);
        for partition in taken {
            let start = {
                let mut state = self.broker.state();
                start::resolve(
                    &mut state,
                    &self.plan().group,
                    self.plan().start,
                    &partition,
                )
            };
            match start {
                Ok((offset, metadata)) => {
                    let queue = LogQueue::new(self.broker.clone(), partition.clone(), offset);
                    let parked = self.parked_start(&partition);
                    self.group
                        .assign(partition, queue, offset, &metadata, parked);
                }
                Err(reason) => {
                    self.holding().insert(partition, reason);
                }
            }
        }
    }

    /// The parked log of a partition from the committed hint on, or from its start.
    fn parked_start(&self, partition: &TopicPartition) -> Option<ParkedStart<LogQueue>> {
        let topic = self.plan().topics.get(&partition.topic)?.parked.clone()?;
        let log = TopicPartition::new(topic.clone(), partition.partition);
        let mut state = self.broker.state();
        if state.refuses_parking {
            return None;
        }
        let group = state.group(&self.plan().group);
        let generation = group.generation();
        let hint = group.committed.get(&log).cloned();
        let first = state.offsets(&log).map_or(0, |offsets| offsets.start);
        let (offset, claim) = match hint {
            // What lies below the log's start is done: nothing else is removed.
            Some(hint) if hint.watermark >= first => (hint.watermark, hint.metadata),
            _ => (first, String::new()),
        };
        drop(state);
        Some(ParkedStart {
            topic,
            queue: LogQueue::new(self.broker.clone(), log, offset),
            generation,
            claim,
        })
    }

    async fn tick(&self) {
        self.group.request_positions();
        self.commit_changed().await;
    }

    async fn commit_changed(&self) {
        self.group.gather_positions(ANSWER).await;
        self.commit(self.group.take_positions());
        self.group.acknowledge_positions();
        self.confirm_owned();
    }

    /// Tells lanes whose claims are outranked that they own their partitions, if the coordinator says so.
    fn confirm_owned(&self) {
        for partition in self.group.outranked() {
            let mut state = self.broker.state();
            let group = state.group(&self.plan().group);
            if group.owns(self.id, &partition) {
                let generation = group.generation();
                drop(state);
                self.group.confirm_owner(&partition, generation);
            }
        }
    }

    /// Asks the lanes, and lets them answer: they run as soon as this task yields.
    async fn ask(&self) {
        self.group.request_positions();
        tokio::task::yield_now().await;
    }

    fn commit(&self, positions: Vec<(TopicPartition, Position)>) {
        if positions.is_empty() {
            return;
        }
        let mut state = self.broker.state();
        state.group(&self.plan().group).commit(positions);
    }

    /// What the lanes say of themselves now.
    pub(crate) async fn lanes(&self) -> Vec<LaneStatus> {
        self.ask().await;
        let mut lanes = self.group.lane_status();
        for (partition, reason) in self.holding().iter() {
            lanes.push(self.not_started(partition, reason));
        }
        lanes.sort_by(|left, right| left.partition.cmp(&right.partition));
        lanes
    }

    fn not_started(&self, partition: &TopicPartition, reason: &str) -> LaneStatus {
        let committed = self.broker.committed(&self.plan().group);
        LaneStatus {
            group: self.plan().group.clone(),
            partition: partition.clone(),
            epoch: 0,
            watermark: committed
                .get(partition)
                .map_or(0, |position| position.watermark),
            unhealthy: Some(reason.to_owned()),
            holding: Some(reason.to_owned()),
            ..LaneStatus::default()
        }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    fn plan(&self) -> &GroupPlan {
        self.group.plan()
    }

    fn holding(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, String>> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.broker.state();
        state.group(&self.group.plan().group).leave(self.id);
        let group = self.group.plan().group.clone();
        state.rebalance(&group);
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
