//! A member of a consumer group: the lanes of the partitions that are assigned to it now.

mod commits;
mod leaving;
mod map_room;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use self::commits::{CommitCount, Open};
use self::leaving::Departure;
pub use self::leaving::Revoked;
pub(crate) use self::map_room::MapRoom;
use crate::deadline;
use crate::failpoints;
use crate::lane::Lane;
use crate::lane::context::LaneContext;
use crate::lane::shared::{Control, LaneReport, LaneShared};
use crate::offset_map::OffsetMap;
use crate::parking::shared::ParkedShared;
use crate::plan::GroupPlan;
use crate::status::{HandlerStatus, LaneStatus, ShutdownReport};
use crate::transport::{ParkedStart, Publish, Queue, TopicPartition};

/// How long a cancelled lane may take to notice, which it does between two polls of its handlers.
const NOTICE: Duration = Duration::from_secs(1);

/// A member of a consumer group. Transports drive it: they assign and revoke partitions, and commit its positions.
pub struct Group {
    plan: Arc<GroupPlan>,
    publish: Arc<dyn Publish>,
    handle: Handle,
    lanes: Mutex<BTreeMap<TopicPartition, Running>>,
    /// Lanes that are told to end and have not: they still answer for what is under way.
    leaving: Mutex<Vec<(TopicPartition, Arc<LaneShared>)>>,
    /// Lanes whose partition was assigned anew without being given up: cancelled, and waited for with the others.
    replaced: Mutex<Vec<(TopicPartition, Running)>>,
    epoch: AtomicU64,
    map_room: Arc<MapRoom>,
    commits: Arc<CommitCount>,
}

struct Running {
    shared: Arc<LaneShared>,
    task: JoinHandle<LaneReport>,
}

impl Drop for Running {
    /// A lane that nothing waits for any more, since whoever gave it up was dropped, must not go on beside the next owner.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Group {
    /// A member without partitions. Its lanes run on `handle`.
    pub fn new(plan: Arc<GroupPlan>, publish: Arc<dyn Publish>, handle: Handle) -> Self {
        let commits = Arc::new(CommitCount::new(plan.settings.commit_records));
        Self {
            plan,
            publish,
            handle,
            lanes: Mutex::default(),
            leaving: Mutex::default(),
            replaced: Mutex::default(),
            epoch: AtomicU64::new(0),
            map_room: Arc::default(),
            commits,
        }
    }

    /// The group's plan.
    pub fn plan(&self) -> &Arc<GroupPlan> {
        &self.plan
    }

    /// Starts the lane of a partition at `start`. `metadata` is what was committed with that offset; empty if nothing.
    /// `parked` is its parked log, if the plan names one for the topic; without it failed records are dead-lettered.
    ///
    /// A topic that the plan does not name is ignored.
    pub fn assign<Q: Queue>(
        &self,
        partition: TopicPartition,
        queue: Q,
        start: i64,
        metadata: &str,
        parked: Option<ParkedStart<Q>>,
    ) {
        let Some(topic) = self.plan.topics.get(&partition.topic) else {
            tracing::warn!(%partition, "assigned a partition of a topic that nobody here handles");
            return;
        };
        let resume = OffsetMap::try_decode(start, metadata).unwrap_or_else(|| {
            tracing::warn!(%partition, "the committed metadata is not ours, so work above the watermark is done again");
            OffsetMap::default()
        });
        // Before the new one runs: at most one of them begins attempts.
        self.replace(&partition);
        let context = Arc::new(LaneContext::new(
            Arc::clone(&self.plan),
            Arc::clone(topic),
            partition.clone(),
            Arc::clone(&self.publish),
            parked
                .as_ref()
                .map(|start| Arc::new(ParkedShared::new(start.topic.clone()))),
        ));
        let shared = Arc::new(LaneShared::new(
            self.epoch.fetch_add(1, Ordering::Relaxed) + 1,
            Arc::clone(&self.map_room),
            Arc::clone(&self.commits),
        ));
        failpoints::reached("assign", &partition, shared.epoch.cast_signed());
        let lane = Lane::new(context, Arc::clone(&shared), queue, start, resume, parked);
        // The lane yields by itself; tokio's budget would only make its slots spin.
        let task = self.handle.spawn(tokio::task::coop::unconstrained(lane));
        self.lanes().insert(partition, Running { shared, task });
    }

    /// Cancels the lane that a partition has already.
    fn replace(&self, partition: &TopicPartition) {
        let mut replaced = lock(&self.replaced);
        replaced.retain(|(_, running)| !running.task.is_finished());
        if let Some(old) = self.lanes().remove_entry(partition) {
            old.1.shared.tell(Control::Cancel);
            replaced.push(old);
        }
    }

    /// Gives partitions up: stops dispatching, lets attempts end until `deadline` has passed, and answers for each
    /// partition how far it is, to be committed before it is given back (D8).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the lanes end, but their positions are lost, and work is done again.
    pub async fn revoke(&self, partitions: &[TopicPartition], deadline: Duration) -> Revoked {
        self.stop(partitions, Control::Drain, deadline).await
    }

    /// Gives up partitions that belong to somebody else by now: attempts are dropped, and nothing may be committed.
    pub async fn lose(&self, partitions: &[TopicPartition]) -> ShutdownReport {
        for partition in partitions {
            failpoints::reached("lost", partition, 0);
        }
        self.stop(partitions, Control::Cancel, Duration::ZERO)
            .await
            .report
    }

    async fn stop(
        &self,
        partitions: &[TopicPartition],
        control: Control,
        deadline: Duration,
    ) -> Revoked {
        let leaving: Vec<_> = {
            let mut lanes = self.lanes();
            partitions
                .iter()
                .filter_map(|partition| lanes.remove_entry(partition))
                .collect()
        };
        let departure = Departure::of(&self.leaving, &leaving);
        for (_, running) in &leaving {
            running.shared.tell(control);
        }
        let mut revoked = Revoked::default();
        revoked.report.drained = true;
        let until = deadline::after(deadline);
        let late = revoked.wait(leaving, until).await;
        for (_, running) in &late {
            running.shared.tell(Control::Cancel);
        }
        // All at once: whoever takes the partitions over waits for every one of them.
        let until = Instant::now() + NOTICE;
        for (partition, running) in revoked.wait(late, until).await {
            // A handler blocks its thread without awaiting. Dropping the handle would detach the task.
            running.task.abort();
            tracing::error!(%partition, "a handler blocks its thread, so its lane cannot be stopped; mark it #[handler(blocking)]");
            revoked.report.drained = false;
            revoked.report.overdue += 1;
        }
        let replaced = std::mem::take(&mut *lock(&self.replaced));
        // What they did counts for nobody.
        let replaced = Revoked::default().wait(replaced, until).await;
        replaced.iter().for_each(|(_, lane)| lane.task.abort());
        drop(departure);
        revoked
    }

    /// Ends all lanes.
    ///
    /// # Cancel safety
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn shutdown(&self, deadline: Duration) -> Revoked {
        let partitions = self.partitions();
        self.revoke(&partitions, deadline).await
    }

    /// The partitions assigned now.
    pub fn partitions(&self) -> Vec<TopicPartition> {
        self.lanes().keys().cloned().collect()
    }

    /// Asks every lane for its position and status. They answer within microseconds, unless a handler blocks its thread.
    pub fn request_positions(&self) {
        for running in self.lanes().values() {
            running.shared.request();
        }
        for (_, shared) in &*lock(&self.leaving) {
            shared.request();
        }
    }

    /// Positions of these partitions, or of their parked logs, were not committed: their lanes hand theirs out again when
    /// they are next asked. Answers whether any of the partitions has a lane here.
    pub fn refuse_positions(&self, partitions: &[TopicPartition]) -> bool {
        let lanes = self.lanes();
        let mut known = false;
        for TopicPartition { topic, partition } in partitions {
            let of = self.plan.topics.iter();
            let sources = of.filter(|(source, plan)| {
                *source == topic || plan.parked.as_deref() == Some(topic.as_str())
            });
            for (source, _) in sources {
                if let Some(running) = lanes.get(&TopicPartition::new(source.clone(), *partition)) {
                    running.shared.refuse_position();
                    known = true;
                }
            }
        }
        known
    }

    /// Partitions whose lanes take no records since a claim in their parked logs outranks theirs. The generations of a group
    /// that was deleted, that expired or that changed its protocol begin again, so its lanes come to that.
    pub fn outranked(&self) -> Vec<TopicPartition> {
        let lanes = self.lanes();
        let outranked = lanes
            .iter()
            .filter(|(_, running)| running.shared.is_outranked());
        outranked.map(|(partition, _)| partition.clone()).collect()
    }

    /// The group's coordinator has told that this member, of that generation, owns a partition, asked after it was
    /// [outranked](Self::outranked). The claim that outranks its lane's is of an owner that is gone, so the lane overrules it.
    pub fn confirm_owner(&self, partition: &TopicPartition, generation: i64) {
        if let Some(running) = self.lanes().get(partition) {
            running.shared.confirm_owner(generation);
        }
    }

    /// What each lane said of itself when it was last asked; lanes that are given up count until they have ended.
    pub fn lane_status(&self) -> Vec<LaneStatus> {
        let mut lanes: Vec<_> = self
            .lanes()
            .iter()
            .filter_map(|(partition, running)| self.heard(partition, running))
            .collect();
        lanes.extend(
            lock(&self.leaving)
                .iter()
                .filter_map(|(_, shared)| shared.status()),
        );
        lanes
    }

    /// What a lane said of itself, unless it does not answer any more: then that is what there is to say of it.
    fn heard(&self, partition: &TopicPartition, running: &Running) -> Option<LaneStatus> {
        let status = running.shared.status();
        let silence = running.shared.silence().unwrap_or_default();
        let reason = if running.task.is_finished() {
            "the lane's task has ended; restart the process, and report this".to_owned()
        } else if silence >= self.plan.settings.stall {
            format!(
                "the lane has not answered for {} s: a handler blocks its thread; mark it #[handler(blocking)]",
                silence.as_secs()
            )
        } else {
            return status;
        };
        let epoch = running.shared.epoch;
        let mut status =
            status.unwrap_or_else(|| LaneStatus::unheard(&self.plan.group, partition, epoch));
        status.unhealthy = Some(reason);
        status.restart_helps = true;
        Some(status)
    }

    /// Whether every lane has answered the last request for its position and status.
    pub fn has_answered(&self) -> bool {
        let lanes = self.lanes();
        lanes
            .values()
            .all(|running| running.shared.silence().is_none() || running.task.is_finished())
    }

    /// Tells a lane the first offset of its partition's log and the one behind the last, so that it knows its lag.
    pub fn set_log_ends(&self, partition: &TopicPartition, low: i64, high: i64) {
        if let Some(running) = self.lanes().get(partition) {
            running.shared.set_ends(low, high);
        }
    }

    /// Lets a handler take no more work, in every partition that this member has or will have; what is under way ends.
    /// Its name is `service/handler`, or the handler's alone. Answers whether the group has it.
    ///
    /// The group is not left. Records of the handler wait, so at a lane's bound its other handlers wait too.
    pub fn pause(&self, handler: &str) -> bool {
        self.set_paused(handler, true)
    }

    /// Lets a paused handler go on. Answers whether the group has it.
    pub fn resume(&self, handler: &str) -> bool {
        self.set_paused(handler, false)
    }

    fn set_paused(&self, handler: &str, paused: bool) -> bool {
        let named = self
            .plan
            .handlers
            .iter()
            .filter(|plan| plan.stable_name == handler || plan.descriptor.name == handler);
        let mut known = false;
        for plan in named {
            known = true;
            if plan.lanes.pause(paused) {
                let what = if paused { "is paused" } else { "goes on" };
                tracing::info!(handler = %plan.stable_name, group = self.plan.group, "the handler {what}");
            }
        }
        known
    }

    /// What each handler did.
    pub fn handler_status(&self) -> Vec<HandlerStatus> {
        let handlers = self.plan.handlers.iter();
        handlers
            .map(|handler| HandlerStatus {
                handler: handler.stable_name.clone(),
                group: self.plan.group.clone(),
                handled: handler.meters.handled.total(),
                emitted: handler.meters.emitted.total(),
                retried: handler.meters.retried.total(),
                parked: handler.meters.parked.total(),
                dead_lettered: handler.meters.dead_lettered.total(),
                overdue: handler.meters.overdue.total(),
                duplicates: handler.meters.duplicates.total(),
                later_versions: handler.meters.later.total(),
                latest_version: handler.meters.latest(),
            })
            .collect()
    }

    /// Drops every lane at once, as a kill of the process would: nothing is drained and nothing reported.
    pub fn abort(&self) {
        let replaced = std::mem::take(&mut *lock(&self.replaced)).into_iter();
        let lanes = std::mem::take(&mut *self.lanes()).into_iter();
        for (_, running) in lanes.chain(replaced) {
            running.task.abort();
        }
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Running>> {
        lock(&self.lanes)
    }
}

/// No code of users runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Group {
    fn drop(&mut self) {
        self.abort();
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("group", &self.plan.group)
            .field("partitions", &self.partitions())
            .finish_non_exhaustive()
    }
}
