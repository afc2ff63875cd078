//! A running service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events_runtime::{Group, ShutdownReport, Status};
use tokio::task::JoinSet;

use crate::error::KafkaError;
use crate::member::Member;
use crate::options::ClientOptions;
use crate::producer::Producer;
use crate::sink::LaneProducer;

/// A running service. Dropping it stops the service without draining: nothing is lost, but work is done again.
pub struct Handle {
    service: String,
    /// One for each consumer group.
    members: Vec<Member>,
    lanes: Arc<LaneProducer>,
    client: ClientOptions,
    /// Made when it is first asked for.
    edge: Mutex<Option<Producer>>,
    drain: Duration,
}

impl Handle {
    pub(crate) fn new(
        service: String,
        members: Vec<Member>,
        lanes: Arc<LaneProducer>,
        client: ClientOptions,
        drain: Duration,
    ) -> Self {
        Self {
            service,
            members,
            lanes,
            client,
            edge: Mutex::default(),
            drain,
        }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Where its cluster is: also the way for other programs to an embedded one.
    pub fn address(&self) -> &str {
        self.client.address().unwrap_or_default()
    }

    /// What the service says of itself. Lanes are asked now and answer within microseconds, so what they say here may be
    /// as old as the last commit tick.
    pub fn status(&self) -> Status {
        let mut status = Status {
            service: self.service.clone(),
            healthy: true,
            lanes: Vec::new(),
            handlers: Vec::new(),
        };
        for member in &self.members {
            let group = member.group();
            group.request_positions();
            status.lanes.extend(group.lane_status());
            status.handlers.extend(group.handler_status());
        }
        status.healthy = status.lanes.iter().all(|lane| lane.unhealthy.is_none());
        status
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
        self.each_group(handler, |group| group.pause(handler))
    }

    /// Lets a paused handler go on.
    ///
    /// # Errors
    ///
    /// The service has no such handler.
    pub fn resume(&self, handler: &str) -> Result<(), KafkaError> {
        self.each_group(handler, |group| group.resume(handler))
    }

    fn each_group(&self, handler: &str, act: impl Fn(&Group) -> bool) -> Result<(), KafkaError> {
        let groups = self.members.iter().map(Member::group);
        if groups.fold(false, |known, group| known | act(group)) {
            return Ok(());
        }
        let groups = self.members.iter().map(Member::group);
        let known: Vec<_> = groups
            .flat_map(|group| group.plan().handlers.iter())
            .map(|plan| plan.stable_name.as_str())
            .collect();
        Err(KafkaError::Usage(format!(
            "the service has no handler `{handler}`; it has {}",
            known.join(", ")
        )))
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
        let groups = self.members.iter().map(|member| Arc::clone(member.group()));
        Underway {
            service: self.service.clone(),
            groups: groups.collect(),
        }
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
        let producer = Producer::connect(&self.service, self.client.clone())?;
        *edge = Some(producer.clone());
        Ok(producer)
    }

    /// Stops reading, finishes what is under way, commits, and leaves the groups; at most for [`Settings::drain`] and a
    /// few seconds to say goodbye to the broker.
    ///
    /// [`Settings::drain`]: events_runtime::Settings::drain
    ///
    /// # Delivery
    ///
    /// What could not be finished is reported as abandoned and is handled again by whoever gets its partition next (D9).
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives the drain up: nothing is lost, but work is done again.
    pub async fn drain(self) -> ShutdownReport {
        let mut stopping: JoinSet<_> = self
            .members
            .into_iter()
            .map(|member| member.stop(self.drain))
            .collect();
        let mut report = ShutdownReport {
            drained: true,
            ..ShutdownReport::default()
        };
        while let Some(stopped) = stopping.join_next().await {
            // A member that panicked has finished nothing that could be counted.
            report.add(&stopped.unwrap_or_default());
        }
        // Members are gone, so nothing new comes.
        self.lanes.close(self.drain).await;
        let edge = self
            .edge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(edge) = edge {
            let unsent = edge.close(self.drain).await;
            report.drained &= unsent == 0;
        }
        tracing::info!(service = self.service, %report, "stopped");
        report
    }
}

/// What a service has under way, also while it drains.
pub(crate) struct Underway {
    service: String,
    groups: Vec<Arc<Group>>,
}

impl Underway {
    /// Asks every lane, to be [told](Self::tell) a moment later.
    pub(crate) fn ask(&self) {
        self.groups
            .iter()
            .for_each(|group| group.request_positions());
    }

    /// Records that would be abandoned now, and where they stand: `payments: 2 (orders/0 from offset 17)`.
    pub(crate) fn tell(&self) -> (usize, Option<String>) {
        let lanes = self.groups.iter().flat_map(|group| group.lane_status());
        let busy: Vec<_> = lanes
            .map(|lane| (lane.running + lane.unacknowledged, lane))
            .filter(|(records, _)| *records > 0)
            .collect();
        let records = busy.iter().map(|(records, _)| records).sum();
        let places: Vec<_> = busy
            .iter()
            .map(|(_, lane)| format!("{} from offset {}", lane.partition, lane.watermark))
            .collect();
        let text = format!("{}: {records} ({})", self.service, places.join(", "));
        (records, (records > 0).then_some(text))
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("service", &self.service)
            .field("partitions", &self.partitions())
            .finish_non_exhaustive()
    }
}
