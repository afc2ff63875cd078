//! A member of a consumer group: one consumer, one polling thread, a lane for each partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use events_runtime::{Group, GroupPlan, Publish, ShutdownReport};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use crate::ffi;
use crate::options::ClientOptions;
use crate::parked::ParkedLogs;
use crate::rebalance::{MemberContext, commit, wait};
use crate::rights::Watch;
use crate::view::Watched;

/// How long a poll of the main queue waits: how late a tick may be.
const POLL: Duration = Duration::from_millis(25);
/// How long saying goodbye may take beyond the drain; then the thread is left to itself, as the broker is gone.
pub(crate) const GOODBYE: Duration = Duration::from_secs(5);

/// A member of a consumer group.
pub(crate) struct Member {
    group: Arc<Group>,
    orders: Sender<Stop>,
    lag: Arc<Mutex<Lag>>,
    joined: Arc<AtomicBool>,
    watch: Arc<Watch>,
}

struct Stop {
    /// The end of the drain.
    until: Instant,
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
        publish: Arc<dyn Publish>,
        handle: Handle,
        drain: Duration,
    ) -> KafkaResult<Self> {
        let interval = plan.settings.commit_interval;
        let group = Arc::new(Group::new(plan, publish, handle.clone()));
        let consumer = consumer(&group, client, handle, drain)?;
        let context = consumer.context();
        let (joined, watch) = (Arc::clone(&context.joined), Arc::clone(&context.watch));
        let (orders, inbox) = mpsc::channel();
        let lag = Arc::default();
        let poller = Poller {
            consumer,
            group: Arc::clone(&group),
            inbox,
            interval,
            lag: Arc::clone(&lag),
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
            joined,
            watch,
        })
    }

    pub(crate) fn group(&self) -> &Arc<Group> {
        &self.group
    }

    pub(crate) fn watched(&self) -> Watched {
        Watched {
            group: Arc::clone(&self.group),
            joined: Arc::clone(&self.joined),
            rights: Arc::clone(&self.watch),
        }
    }

    pub(crate) fn lag(&self) -> Lag {
        *self.lag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drains until then, commits and leaves the group, whether or not the answer is waited for. It comes [`GOODBYE`] later
    /// at the latest.
    pub(crate) fn stop(self, until: Instant) -> impl Future<Output = ShutdownReport> {
        let (report, answer) = oneshot::channel();
        let (left, gone) = oneshot::channel();
        let stop = Stop {
            until,
            report,
            left,
        };
        // A thread that is gone drops the order, and with it what the answer comes by.
        let _ = self.orders.send(stop);
        async move {
            let end = (until + GOODBYE).into();
            let Ok(Ok(report)) = timeout_at(end, answer).await else {
                // The thread waits for the broker, within a rebalance.
                return self.unfinished();
            };
            if timeout_at(end, gone).await.is_err() {
                tracing::warn!(group = %self.group.plan().group, "the broker did not answer the goodbye; what was done since the last commit may be done again");
            }
            report
        }
    }

    /// What its lanes said last that they have under way.
    fn unfinished(&self) -> ShutdownReport {
        let lanes = self.group.lane_status().into_iter();
        ShutdownReport {
            abandoned: lanes.map(|lane| lane.running + lane.unacknowledged).sum(),
            ..ShutdownReport::default()
        }
    }
}

/// The consumer of a member, which joins the group once it is polled.
pub(crate) fn consumer(
    group: &Arc<Group>,
    client: &ClientOptions,
    handle: Handle,
    drain: Duration,
) -> KafkaResult<Arc<BaseConsumer<MemberContext>>> {
    let plan = group.plan();
    let watch = Watch::new(plan, client, handle.clone());
    let context = MemberContext {
        group: Arc::clone(group),
        parked: ParkedLogs::open(plan, client, handle.clone(), Arc::clone(&watch))?,
        handle,
        drain,
        consumer: OnceLock::new(),
        rejoin: AtomicBool::new(false),
        joined: Arc::default(),
        watch,
    };
    let config = client.consumer(&plan.group, &plan.settings);
    let consumer = Arc::new(BaseConsumer::from_config_and_context(&config, context)?);
    // Nobody else has set it.
    let _ = consumer.context().consumer.set(Arc::downgrade(&consumer));
    subscribe(&consumer, plan)?;
    Ok(consumer)
}

fn subscribe(consumer: &BaseConsumer<MemberContext>, plan: &GroupPlan) -> KafkaResult<()> {
    let topics: Vec<_> = plan.topics.keys().map(String::as_str).collect();
    consumer.subscribe(&topics)
}

/// The polling thread: serves the client's callbacks, commits positions.
struct Poller {
    consumer: Arc<BaseConsumer<MemberContext>>,
    group: Arc<Group>,
    inbox: Receiver<Stop>,
    interval: Duration,
    lag: Arc<Mutex<Lag>>,
}

impl Poller {
    fn run(self) {
        let mut tick = Instant::now();
        let stop = loop {
            match self.inbox.try_recv() {
                Ok(stop) => break Some(stop),
                Err(TryRecvError::Disconnected) => break None,
                Err(TryRecvError::Empty) => {}
            }
            match self.consumer.poll(POLL) {
                None => {}
                Some(Err(error)) => {
                    self.consumer.context().watch.suspect(&error);
                    crate::client_log::report("consumer", &error, "while polling");
                }
                Some(Ok(_)) => {
                    // Every partition is split before it is assigned, so this is a fault of ours or of the client.
                    tracing::error!(group = %self.group.plan().group, "a record came on the main queue; it is read again after a restart");
                }
            }
            if let Some(logs) = &self.consumer.context().parked {
                logs.serve();
            }
            if self.consumer.context().rejoin.swap(false, Ordering::AcqRel) {
                self.rejoin();
            }
            if tick.elapsed() >= self.interval {
                tick = Instant::now();
                self.group.request_positions();
                self.measure_lag();
            }
            commit(
                &self.consumer,
                &self.group.take_positions(),
                CommitMode::Async,
            );
        };
        self.leave(stop);
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

    fn measure_lag(&self) {
        let partitions = self.group.partitions().len();
        let lanes = self.group.lane_status();
        // A member that has got no partitions is behind by nothing; before that it has not been told.
        let joined = self.consumer.context().joined.load(Ordering::Acquire);
        let mut records = (joined && lanes.len() >= partitions).then_some(0u64);
        for lane in lanes {
            let name = &lane.partition;
            let ends = ffi::cached_watermarks(self.consumer.client(), &name.topic, name.partition);
            if let Some((low, high)) = ends {
                self.group.set_log_ends(name, low, high);
            }
            // A group that fell behind retention lags to the log's start, not to offsets that are gone.
            let behind =
                ends.map(|(low, high)| (high - lane.watermark.max(low)).max(0).unsigned_abs());
            records = records.zip(behind).map(|(sum, behind)| sum + behind);
        }
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
            return;
        };
        let handle = self.consumer.context().handle.clone();
        let (report, positions) = if self.consumer.assignment_lost() {
            let lost = self.group.partitions();
            (wait(&handle, self.group.lose(&lost)), Vec::new())
        } else {
            let left = stop.until.saturating_duration_since(Instant::now());
            let revoked = wait(&handle, self.group.shutdown(left));
            (revoked.report, revoked.positions)
        };
        // Before the goodbye, which polls until the coordinator has answered, and that may be never. Nobody waits any more
        // once the deadline has passed.
        let _ = stop.report.send(report);
        commit(&self.consumer, &positions, CommitMode::Sync);
        drop(self.consumer);
        drop(stop.left);
    }
}
