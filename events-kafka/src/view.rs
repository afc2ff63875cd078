//! A running service, as others see it: the handle, the endpoint, whoever gives a drain up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use events_runtime::{Group, Status};

use crate::error::KafkaError;
use crate::membership::Membership;
use crate::outage::Outage;
use crate::rebalance::Delayed;
use crate::rights::Watch;

/// A running service. It outlives the handle for as long as the service drains.
pub(crate) struct View {
    service: String,
    /// Set once they have been made.
    groups: OnceLock<Vec<Watched>>,
    /// Set with them.
    outage: OnceLock<Arc<Outage>>,
    /// What the start waits for.
    waiting: Mutex<Option<String>>,
    draining: AtomicBool,
}

/// A consumer group of the service.
pub(crate) struct Watched {
    pub(crate) group: Arc<Group>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) rights: Arc<Watch>,
    /// Partitions that cannot be read yet.
    #[cfg_attr(
        not(feature = "status"),
        expect(dead_code, reason = "only the endpoint tells")
    )]
    pub(crate) delayed: Arc<Delayed>,
}

impl View {
    /// A service that is being started.
    pub(crate) fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            groups: OnceLock::new(),
            outage: OnceLock::new(),
            waiting: Mutex::default(),
            draining: AtomicBool::new(false),
        }
    }

    /// It has members in its groups.
    pub(crate) fn started(&self, groups: Vec<Watched>, outage: Arc<Outage>) {
        // A service starts once.
        let _ = self.outage.set(outage);
        let _ = self.groups.set(groups);
    }

    /// The start waits for that, or for nothing any more.
    pub(crate) fn waits_for(&self, what: Option<String>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        let groups = self.groups.get().into_iter().flatten();
        groups.map(|watched| &*watched.group)
    }

    /// Asks every lane, to be told a moment later.
    pub(crate) fn ask(&self) {
        self.groups().for_each(Group::request_positions);
    }

    /// What lanes said last.
    pub(crate) fn status(&self) -> Status {
        let lanes: Vec<_> = self.groups().flat_map(Group::lane_status).collect();
        let groups = self.groups.get().into_iter().flatten();
        let troubles: Vec<_> = groups
            .flat_map(|watched| [watched.rights.trouble(), watched.membership.trouble()])
            .flatten()
            .collect();
        let well = lanes.iter().all(|lane| lane.unhealthy.is_none());
        Status {
            service: self.service.clone(),
            healthy: well && troubles.is_empty(),
            troubles,
            lanes,
            handlers: self.groups().flat_map(Group::handler_status).collect(),
        }
    }

    /// Why it is not ready, a line each.
    #[cfg(feature = "status")]
    pub(crate) fn unready(&self) -> Vec<String> {
        if self.draining.load(Ordering::Relaxed) {
            return vec!["draining".to_owned()];
        }
        let Some(groups) = self.groups.get() else {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            return vec![waiting.clone().unwrap_or_else(|| "starting".to_owned())];
        };
        groups
            .iter()
            .flat_map(|watched| {
                let membership = watched.membership.unready();
                membership.into_iter().chain(watched.delayed.reasons())
            })
            .chain(self.outage())
            .collect()
    }

    /// What is said while no broker answers.
    #[cfg(feature = "status")]
    fn outage(&self) -> Option<String> {
        let reason = self.outage.get()?.reason()?;
        Some(format!("no broker answers: {reason}"))
    }

    /// Acts on every group that has the handler.
    pub(crate) fn each_group(
        &self,
        handler: &str,
        act: impl Fn(&Group) -> bool,
    ) -> Result<(), KafkaError> {
        if self.groups().fold(false, |known, group| known | act(group)) {
            return Ok(());
        }
        let known: Vec<_> = self
            .groups()
            .flat_map(|group| &group.plan().handlers)
            .map(|plan| plan.stable_name.as_str())
            .collect();
        Err(KafkaError::Usage(format!(
            "the service has no handler `{handler}`; it has {}",
            known.join(", ")
        )))
    }
}

#[cfg(feature = "status")]
impl events_status::Control for View {
    fn pause(&self, handler: &str) -> Result<(), events_status::Refused> {
        self.each_group(handler, |group| group.pause(handler))
            .map_err(|error| events_status::Refused::Unknown(error.to_string()))
    }

    fn resume(&self, handler: &str) -> Result<(), events_status::Refused> {
        self.each_group(handler, |group| group.resume(handler))
            .map_err(|error| events_status::Refused::Unknown(error.to_string()))
    }
}

#[cfg(feature = "status")]
impl events_status::Running for View {
    fn service(&self) -> String {
        self.service.clone()
    }

    fn ask(&self) {
        Self::ask(self);
    }

    fn has_answered(&self) -> bool {
        self.groups().all(Group::has_answered)
    }

    fn status(&self) -> Status {
        Self::status(self)
    }

    fn unready(&self) -> Vec<String> {
        Self::unready(self)
    }
}
