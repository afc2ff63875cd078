//! A running service.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use events_runtime::{ShutdownReport, Status};

use crate::endpoint::{self, Open};
use crate::error::KafkaError;
use crate::manifests::Announcement;
use crate::member::{GOODBYE, Member};
use crate::options::ClientOptions;
use crate::outage::Outage;
use crate::patience::bounded;
use crate::producer::Producer;
use crate::sink::LaneProducer;
use crate::view::View;

/// A running service. Dropping it stops the service without draining: nothing is lost, but work is done again.
pub struct Handle {
    view: Arc<View>,
    endpoint: Option<Open>,
    /// One for each consumer group.
    members: Vec<Member>,
    lanes: Arc<LaneProducer>,
    client: ClientOptions,
    announcement: Announcement,
    /// Made when it is first asked for.
    edge: Mutex<Option<Producer>>,
    drain: Duration,
}

impl Handle {
    pub(crate) fn new(
        (view, endpoint): (Arc<View>, Option<Open>),
        members: Vec<Member>,
        lanes: Arc<LaneProducer>,
        client: ClientOptions,
        announcement: Announcement,
        outage: Arc<Outage>,
        drain: Duration,
    ) -> Self {
        view.started(members.iter().map(Member::watched).collect(), outage);
        Self {
            view,
            endpoint,
            members,
            lanes,
            client,
            announcement,
            edge: Mutex::default(),
            drain,
        }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        self.view.service()
    }

    /// Where its cluster is: also the way for other programs to an embedded one.
    pub fn address(&self) -> &str {
        self.client.address().unwrap_or_default()
    }

    /// What the service says of itself. Lanes are asked now and answer within microseconds, so what they say here may be
    /// as old as the last commit tick.
    pub fn status(&self) -> Status {
        self.view.ask();
        self.view.status()
    }

    /// Where its status endpoint listens; none unless an address was given.
    pub fn status_address(&self) -> Option<SocketAddr> {
        endpoint::address(self.endpoint.as_ref())
    }

    /// Records of its partitions that are not done; none before the cluster has told how long every partition is.
    pub fn lag(&self) -> Option<u64> {
        self.members.iter().map(|member| member.lag().records).sum()
    }

    /// Lets a handler take no more work in this process; what is under way ends. The groups are not left. Its name is
    /// `service/handler`, or the handler's alone.
    ///
    /// # Delivery
    ///
    /// Its records wait, and nothing is lost. Other handlers of its group go on until the lane is full, which
    /// [`status`](Self::status) tells.
    ///
    /// # Errors
    ///
    /// The service has no such handler.
    pub fn pause(&self, handler: &str) -> Result<(), KafkaError> {
        self.view.each_group(handler, |group| group.pause(handler))
    }

    /// Lets a paused handler go on.
    ///
    /// # Errors
    ///
    /// The service has no such handler.
    pub fn resume(&self, handler: &str) -> Result<(), KafkaError> {
        self.view.each_group(handler, |group| group.resume(handler))
    }

    /// Partitions assigned to it now.
    pub fn partitions(&self) -> usize {
        self.members
            .iter()
            .map(|member| member.group().partitions().len())
            .sum()
    }

    /// A look at what is under way that outlives the handle: for whoever gives a drain up.
    pub(crate) fn underway(&self) -> Underway {
        Underway(Arc::clone(&self.view))
    }

    /// A producer for events that no handler causes, with the service as their source. It is closed by
    /// [`drain`](Self::drain).
    ///
    /// # Errors
    ///
    /// The client cannot start.
    pub fn producer(&self) -> Result<Producer, KafkaError> {
        let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = &*edge {
            return Ok(producer.clone());
        }
        let producer = Producer::connect(self.service(), self.client.clone())?;
        *edge = Some(producer.clone());
        Ok(producer)
    }

    /// Stops reading, finishes what is under way, commits, and leaves the groups; at most for [`Settings::drain`] and five
    /// seconds to say goodbye to the broker, all in all. A member that waits within a rebalance for the broker says none.
    ///
    /// [`Settings::drain`]: events_runtime::Settings::drain
    ///
    /// # Delivery
    ///
    /// It ends in time whatever handlers do. A blocking attempt that never returns goes on all the same (`overdue` in the
    /// report), and tokio's runtime waits for its thread when it is dropped: end such a process by
    /// `tokio::runtime::Runtime::shutdown_timeout` or [`std::process::exit`], as `run` does.
    ///
    /// What could not be finished is reported as abandoned and is handled again by whoever gets its partition next (D9).
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives the drain up: nothing is lost, but work is done again.
    pub async fn drain(self) -> ShutdownReport {
        self.view.drains();
        let until = Instant::now() + bounded(self.drain);
        // All are told before the first is waited for.
        let members = self.members.into_iter();
        let stopping = members.map(|member| Box::pin(member.stop(until)));
        let mut stopping: Vec<_> = stopping.collect();
        let mut report = ShutdownReport {
            drained: true,
            ..ShutdownReport::default()
        };
        // All at the same time, and on this task: the runtime may have no thread for others.
        poll_fn(|cx| {
            stopping.retain_mut(|member| match member.as_mut().poll(cx) {
                Poll::Ready(stopped) => {
                    report.add(&stopped);
                    false
                }
                Poll::Pending => true,
            });
            match stopping.is_empty() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        // Members are gone, so nothing new comes.
        let left = || (until + GOODBYE).saturating_duration_since(Instant::now());
        self.lanes.close(left()).await;
        self.announcement.finish(left()).await;
        let edge = self
            .edge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(edge) = edge {
            let unsent = edge.close(left()).await;
            report.drained &= unsent == 0;
        }
        tracing::info!(service = self.view.service(), %report, "stopped");
        report
    }
}

/// What a service has under way, also while it drains.
pub(crate) struct Underway(Arc<View>);

impl Underway {
    /// Asks every lane, to be [told](Self::tell) a moment later.
    pub(crate) fn ask(&self) {
        self.0.ask();
    }

    /// Records that would be abandoned now, and where they stand: `payments: 2 (orders/0 from offset 17)`.
    pub(crate) fn tell(&self) -> (usize, Option<String>) {
        let lanes = self.0.status().lanes.into_iter();
        let busy: Vec<_> = lanes
            .map(|lane| (lane.running + lane.unacknowledged, lane))
            .filter(|(records, _)| *records > 0)
            .collect();
        let records = busy.iter().map(|(records, _)| records).sum();
        let places: Vec<_> = busy
            .iter()
            .map(|(_, lane)| format!("{} from offset {}", lane.partition, lane.watermark))
            .collect();
        let text = format!("{}: {records} ({})", self.0.service(), places.join(", "));
        (records, (records > 0).then_some(text))
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("service", &self.service())
            .field("partitions", &self.partitions())
            .finish_non_exhaustive()
    }
}
