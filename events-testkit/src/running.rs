//! A service that runs over an in-memory broker.

use std::sync::Arc;

use events_core::Fault;
use events_runtime::{Faults, GroupPlan, Service, ShutdownReport, Status};
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::member::Member;

/// A service that runs over a [`Broker`]. Dropping it is like [`kill`](Self::kill).
#[derive(Debug)]
pub struct RunningService {
    service: String,
    members: Vec<(Arc<Member>, JoinHandle<ShutdownReport>)>,
}

impl RunningService {
    pub(crate) fn start(broker: Broker, service: Service) -> Result<Self, Faults> {
        let name = service.name().to_owned();
        let plans = service.plan()?;
        let missing = missing_topics(&broker, &plans);
        if !missing.is_empty() {
            return Err(Faults::new(name, missing));
        }
        let members = plans.into_iter().map(|plan| {
            let member = Arc::new(Member::join(broker.clone(), plan));
            let task = tokio::spawn(Arc::clone(&member).serve());
            (member, task)
        });
        Ok(Self {
            service: name,
            members: members.collect(),
        })
    }

    /// What the service says of itself now.
    pub async fn status(&self) -> Status {
        let mut status = Status {
            service: self.service.clone(),
            healthy: true,
            troubles: Vec::new(),
            lanes: Vec::new(),
            handlers: Vec::new(),
        };
        for (member, _) in &self.members {
            status.lanes.extend(member.lanes().await);
            status.handlers.extend(member.group().handler_status());
        }
        status.healthy = status.lanes.iter().all(|lane| lane.unhealthy.is_none());
        status
    }

    /// Lets a handler take no more work; answers whether the service has it.
    pub fn pause(&self, handler: &str) -> bool {
        let members = self.members.iter();
        members.fold(false, |known, (member, _)| {
            known | member.group().pause(handler)
        })
    }

    /// Lets a paused handler go on; answers whether the service has it.
    pub fn resume(&self, handler: &str) -> bool {
        let members = self.members.iter();
        members.fold(false, |known, (member, _)| {
            known | member.group().resume(handler)
        })
    }

    /// The plans of its groups.
    pub(crate) fn plans(&self) -> Vec<Arc<GroupPlan>> {
        let plans = self
            .members
            .iter()
            .map(|(member, _)| Arc::clone(member.group().plan()));
        plans.collect()
    }

    /// Drains to the service's deadline, commits, leaves its groups, and says how that went (D9).
    pub async fn shutdown(mut self) -> ShutdownReport {
        let mut sum = ShutdownReport {
            drained: true,
            ..ShutdownReport::default()
        };
        for (member, _) in &self.members {
            member.leave();
        }
        for (_, task) in std::mem::take(&mut self.members) {
            match task.await {
                Ok(report) => sum.add(&report),
                Err(_) => sum.drained = false,
            }
        }
        sum
    }

    /// Ends at once, without drain or commit, as SIGKILL does.
    pub async fn kill(mut self) {
        for (member, task) in std::mem::take(&mut self.members) {
            task.abort();
            // The task ends by being cancelled; how it ends says nothing.
            let _ = task.await;
            member.kill().await;
        }
    }
}

impl Drop for RunningService {
    fn drop(&mut self) {
        for (_, task) in &self.members {
            task.abort();
        }
    }
}

/// One fault that lists every topic that is read or published to and does not exist.
fn missing_topics(broker: &Broker, plans: &[Arc<GroupPlan>]) -> Vec<Fault> {
    let mut state = broker.state();
    let named = plans
        .iter()
        .flat_map(|plan| plan.topics.keys().chain(&plan.publishes));
    let mut missing: Vec<_> = named
        .filter(|topic| !state.has_topic(topic))
        .cloned()
        .collect();
    missing.sort();
    missing.dedup();
    if let Some(partitions) = state.auto_create {
        for topic in missing.drain(..) {
            state.create(&topic, partitions);
        }
    }
    if state.auto_create.is_some() {
        for (topic, parked) in parked_topics(plans) {
            let partitions = state.logs(topic).len();
            state.create(parked, partitions as i32);
        }
    } else {
        let narrow = parked_topics(plans)
            .filter(|(topic, parked)| state.logs(parked).len() < state.logs(topic).len())
            .filter(|(_, parked)| !missing.iter().any(|topic| topic == parked))
            .map(|(topic, parked)| format!("`{parked}` has fewer partitions than `{topic}`"))
            .collect::<Vec<_>>();
        if !narrow.is_empty() {
            let remedy = "create it again with as many: `broker.create_topic(…)`";
            return vec![Fault::new("parked-topic", narrow.join(", "), remedy)];
        }
    }
    if missing.is_empty() {
        return Vec::new();
    }
    let message = format!("unknown topics: {}", missing.join(", "));
    let remedy = "create them with `broker.create_topic(…)`, or let the broker do so: `broker.auto_create(1)`";
    vec![Fault::new("unknown-topic", message, remedy)]
}

/// Each topic whose keys are parked, and where.
fn parked_topics(plans: &[Arc<GroupPlan>]) -> impl Iterator<Item = (&str, &str)> {
    let topics = plans.iter().flat_map(|plan| plan.topics.values());
    topics.filter_map(|topic| Some((topic.topic.as_str(), topic.parked.as_deref()?)))
}
