//! A member of a consumer group: one consumer, one polling thread, a lane for each partition.

mod factory;
mod replacement;
mod stable;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use events_runtime::{Group, GroupPlan, Revoked, ShutdownReport};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{timeout, timeout_at};

use crate::committer::Committer;
use crate::ffi;
use crate::membership::Membership;
use crate::options::ClientOptions;
use crate::outage::Outage;
use crate::rebalance::{Delayed, MemberContext, commit, commit_watermarks, wait};
use crate::rights::Watch;
use crate::sink::LaneProducer;
use crate::view::Watched;
pub(crate) use factory::ConsumerFactory;
use factory::subscribe;
use replacement::Backoff;
use stable::StableOffsets;

/// How long a poll of the main queue waits: how late a tick may be.
const POLL: Duration = Duration::from_millis(25);
/// How long saying goodbye may take beyond the drain; then the thread is left to itself, as the broker is gone.
pub(crate) const GOODBYE: Duration = Duration::from_secs(5);
/// How long the polling thread may take to notice that it is to stop. If it takes longer, it waits
/// within a rebalance, and lanes are drained without it.
const NOTICE: Duration = Duration::from_millis(250);

/// A member of a consumer group.
pub(crate) struct Member {
    group: Arc<Group>,
    orders: Sender<Stop>,
    lag: Arc<Mutex<Lag>>,
    membership: Arc<Membership>,
    watch: Arc<Watch>,
    delayed: Arc<Delayed>,
}

struct Stop {
    /// The end of the drain.
    until: Instant,
    /// Dropped once the polling thread has noticed.
    noticed: oneshot::Sender<()>,
    /// Whether somebody drains the lanes.
    claimed: Arc<AtomicBool>,
    /// What the lanes came to, if the polling thread does not drain them.
    revoked: oneshot::Receiver<Revoked>,
    /// What the drain came to.
    report: oneshot::Sender<ShutdownReport>,
    /// Dropped once the group has been left.
    left: oneshot::Sender<()>,
}

/// How far a member is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// Records of the assigned partitions that are not done; none before the first answer of the broker.
    pub(crate) records: Option<u64>,
    /// Partitions assigned.
    pub(crate) partitions: usize,
}

impl Member {
    /// Joins the group. `drain` is how long a revoked partition may finish what runs.
    pub(crate) fn start(
        plan: Arc<GroupPlan>,
        client: &ClientOptions,
        lanes: &Arc<LaneProducer>,
        handle: Handle,
        outage: &Arc<Outage>,
        drain: Duration,
    ) -> KafkaResult<Self> {
        let interval = plan.settings.commit_interval;
        let publish = Arc::clone(lanes);
        let group = Arc::new(Group::new(plan, publish, handle.clone()));
        let factory = ConsumerFactory::new(&group, client, handle, lanes, outage, drain)?;
        let (membership, watch) = (Arc::clone(&factory.membership), Arc::clone(&factory.watch));
        let delayed = Arc::clone(&factory.delayed);
        let (orders, inbox) = mpsc::channel();
        let lag = Arc::default();
        let consumer = factory.consumer()?;
        let poller = Poller {
            committer: Committer::start(&consumer, &group)?,
            stable: StableOffsets::default(),
            consumer,
            factory,
            group: Arc::clone(&group),
            inbox,
            interval,
            lag: Arc::clone(&lag),
            backoff: Backoff::default(),
        };
        let name = format!("poll {}", group.plan().group);
        // The thread ends when the member is stopped or dropped.
        let spawned = thread::Builder::new()
            .name(name)
            .spawn(move || poller.run());
        if let Err(error) = spawned {
            return Err(rdkafka::error::KafkaError::ClientCreation(format!(
                "no thread for the consumer: {error}"
            )));
        }
        Ok(Self {
            group,
            orders,
            lag,
            membership,
            watch,
            delayed,
        })
    }

    pub(crate) fn group(&self) -> &Arc<Group> {
        &self.group
    }

    pub(crate) fn watched(&self) -> Watched {
        Watched {
            group: Arc::clone(&self.group),
            membership: Arc::clone(&self.membership),
            rights: Arc::clone(&self.watch),
            delayed: Arc::clone(&self.delayed),
        }
    }

    pub(crate) fn lag(&self) -> Lag {
        *self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drains until then, commits and leaves the group, whether or not the answer is waited for. It comes [`GOODBYE`] later
    /// at the latest, and by the end of the drain where the polling thread waits for the broker.
    pub(crate) fn stop(self, until: Instant) -> impl Future<Output = ShutdownReport> {
        let (report, answer) = oneshot::channel();
        let (left, gone) = oneshot::channel();
        let (noticed, notice) = oneshot::channel();
        let (drained, revoked) = oneshot::channel();
        let claimed = Arc::new(AtomicBool::new(false));
        let stop = Stop {
            until,
            noticed,
            claimed: Arc::clone(&claimed),
            revoked,
            report,
            left,
        };
        self.watch.leave();
        // A thread that is gone drops the order, and with it what the answer comes by.
        let _ = self.orders.send(stop);
        async move {
            let mut end = until + GOODBYE;
            let mut early = None;
            if timeout(NOTICE, notice).await.is_err() && !claimed.swap(true, Ordering::AcqRel) {
                let rest = until.saturating_duration_since(Instant::now());
                let revoked = self.group.shutdown(rest).await;
                early = Some(revoked.report.clone());
                // The polling thread commits, if it comes to that.
                let _ = drained.send(revoked);
                end = until;
            }
            let Ok(Ok(report)) = timeout_at(end.into(), answer).await else {
                return early.unwrap_or_else(|| self.unfinished());
            };
            if timeout_at(end.into(), gone).await.is_err() {
                tracing::warn!(group = %self.group.plan().group, "the broker did not answer the goodbye; what was done since the last commit may be done again");
            }
            report
        }
    }

    /// What its lanes said last that they have under way.
    fn unfinished(&self) -> ShutdownReport {
        let lanes = self.group.lane_status().into_iter();
        let abandoned = lanes.map(|lane| lane.running + lane.unacknowledged).sum();
        ShutdownReport {
            drained: abandoned == 0,
            abandoned,
            ..ShutdownReport::default()
        }
    }
}

/// The polling thread: serves the client's callbacks.
struct Poller {
    /// It holds the consumer, so it ends before the consumer is dropped.
    committer: Committer,
    /// As the committer.
    stable: StableOffsets,
    consumer: Arc<BaseConsumer<MemberContext>>,
    factory: ConsumerFactory,
    group: Arc<Group>,
    inbox: Receiver<Stop>,
    interval: Duration,
    lag: Arc<Mutex<Lag>>,
    backoff: Backoff,
}

/// Why a consumer is polled no more.
enum End {
    /// The member leaves; without an order if it was dropped.
    Stop(Option<Stop>),
    /// It has raised a fatal error.
    Fatal(RDKafkaErrorCode, String),
}

impl Poller {
    fn run(mut self) {
        loop {
            match self.serve() {
                End::Stop(stop) => return self.leave(stop),
                End::Fatal(code, text) => match self.replace(code, &text) {
                    Some(next) => self = next,
                    None => return,
                },
            }
        }
    }

    fn serve(&mut self) -> End {
        let mut tick = Instant::now();
        loop {
            match self.inbox.try_recv() {
                Ok(stop) => return End::Stop(Some(stop)),
                Err(TryRecvError::Disconnected) => return End::Stop(None),
                Err(TryRecvError::Empty) => {}
            }
            match self.consumer.poll(POLL) {
                None => {}
                Some(Err(error)) => {
                    self.factory.suspect(&error);
                    crate::client_log::report("consumer", &error, "while polling");
                }
                Some(Ok(_)) => {
                    // Every partition is split before it is assigned, so this is a fault of ours or of the client.
                    tracing::error!(group = %self.group.plan().group, "a record came on the main queue; it is read again after a restart");
                }
            }
            // The client takes the partitions away without the callback, so nothing else says that they are lost.
            if let Some((code, text)) = self.consumer.client().fatal_error() {
                return End::Fatal(code, text);
            }
            if let Some(logs) = &self.factory.parked {
                logs.serve();
            }
            self.consumer.context().try_delayed();
            if self.consumer.context().rejoin.swap(false, Ordering::AcqRel) {
                self.rejoin();
            }
            if tick.elapsed() >= self.interval {
                tick = Instant::now();
                self.find_standby();
                self.measure_lag();
            }
        }
    }

    /// Under KIP-848 the client calls nothing back for a member that is given no partitions: its epoch tells that it has its
    /// place in the group.
    fn find_standby(&self) {
        let membership = &self.factory.membership;
        if self.factory.coordinator_assigns
            && !membership.is_assigned()
            && ffi::generation(self.consumer.client()) > 0
        {
            membership.assigned();
        }
    }

    fn rejoin(&self) {
        self.consumer.unsubscribe();
        if let Err(error) = subscribe(&self.consumer, self.group.plan()) {
            tracing::error!(group = %self.group.plan().group, %error, "joining anew failed; the next round tries again");
            self.consumer
                .context()
                .rejoin
                .store(true, Ordering::Release);
        }
    }

    fn measure_lag(&mut self) {
        let partitions = self.group.partitions().len();
        let lanes = self.group.lane_status();
        // A member that has got no partitions is behind by nothing; before that it has not been told.
        let joined = self.factory.membership.is_assigned();
        let joined = joined && self.factory.delayed.is_empty();
        let mut records = (joined && lanes.len() >= partitions).then_some(0u64);
        let mut behind_in = Vec::new();
        for lane in lanes {
            let name = &lane.partition;
            let ends = ffi::cached_watermarks(self.consumer.client(), &name.topic, name.partition);
            let ends = ends.map(|(low, high)| {
                if high > lane.watermark {
                    behind_in.push(name.clone());
                }
                (low, self.stable.end(name, lane.watermark, high))
            });
            if let Some((low, high)) = ends {
                self.group.set_log_ends(name, low, high);
            }
            // A group that fell behind retention lags to the log's start, not to offsets that are gone.
            let behind =
                ends.map(|(low, high)| (high - lane.watermark.max(low)).max(0).unsigned_abs());
            records = records.zip(behind).map(|(sum, behind)| sum + behind);
        }
        self.stable.ask(&self.consumer, behind_in);
        let mut lag = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        *lag = Lag {
            records,
            partitions,
        };
    }

    fn leave(self, stop: Option<Stop>) {
        let Some(stop) = stop else {
            // Nobody waits for a drain, and the runtime that it would need may be gone.
            self.group.abort();
            drop(self.committer);
            return;
        };
        drop(stop.noticed);
        let handle = self.factory.handle.clone();
        let ended = self.consumer.client().fatal_error().is_some();
        let (report, positions) = if ended || self.consumer.assignment_lost() {
            let lost = self.group.partitions();
            (wait(&handle, self.group.lose(&lost)), Vec::new())
        } else {
            let revoked = if stop.claimed.swap(true, Ordering::AcqRel) {
                wait(&handle, stop.revoked).unwrap_or_default()
            } else {
                let left = stop.until.saturating_duration_since(Instant::now());
                wait(&handle, self.group.shutdown(left))
            };
            (revoked.report, revoked.positions)
        };
        drop(self.committer);
        // Before the goodbye, which polls until the coordinator has answered, and that may be never. Nobody waits any more
        // once the deadline has passed.
        let _ = stop.report.send(report);
        commit_watermarks(&self.consumer, &positions, CommitMode::Sync);
        commit(&self.consumer, &positions, CommitMode::Sync);
        drop(self.stable);
        drop(self.consumer);
        // With it the readers of parked logs, which close on this thread.
        drop(self.factory);
        drop(stop.left);
    }
}

#[cfg(test)]
mod tests;
