//! The workers of a scene: started, killed, stopped, asked to end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use faults::{Behaviour, Kill, What};
use nix::sys::signal::Signal;

use super::Scene;
use crate::crew::{Errand, Worker};
use crate::wait::{LONG, go_on};

/// How often it is looked whether workers have died.
const LOOK: Duration = Duration::from_millis(20);
const INSTANCE: &str = "KAFKA_GROUP_INSTANCE_ID";

impl Scene<'_> {
    /// Starts a worker and answers its name.
    pub(crate) fn start(&mut self) -> Result<String> {
        self.start_with(None)
    }

    /// Starts one that kills itself.
    pub(crate) fn start_with(&mut self, kill: Option<Kill>) -> Result<String> {
        self.started += 1;
        let behaviour = Behaviour {
            who: format!("worker-{}", self.started),
            seed: self.random.u64(..),
            kill,
            ..self.behaviour.clone()
        };
        self.write(&behaviour.who, What::Started, "")?;
        let address = self.cluster.address();
        let instance = self.membership.is_static().then(|| self.free_instance());
        let mut properties = self.properties.clone();
        let own = self.membership.variables().iter();
        properties.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        properties
            .extend(instance.map(|instance| (INSTANCE.to_owned(), format!("pod-{instance}"))));
        let worker = Worker::start(
            &self.worker,
            &self.directory,
            &address,
            &behaviour,
            &properties,
            instance,
        )?;
        self.workers.push(worker);
        Ok(behaviour.who)
    }

    /// The lowest instance id that no worker has: a new one inherits that of a dead one.
    fn free_instance(&self) -> u32 {
        let taken = |id| {
            self.workers
                .iter()
                .any(|worker| worker.instance == Some(id))
        };
        // There are fewer workers than numbers.
        (0..).find(|id| !taken(*id)).unwrap_or_default()
    }

    /// Runs another command of the worker's binary.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<String> {
        let behaviour = Behaviour {
            who: "operator".into(),
            ..self.behaviour.clone()
        };
        Worker::command(&self.worker, &self.cluster.address(), &behaviour, arguments)
    }

    /// The same beside what goes on, in the name of `who`.
    pub(crate) fn errand(&self, who: &str, arguments: &[&str]) -> Result<Errand> {
        let behaviour = Behaviour {
            who: who.to_owned(),
            ..self.behaviour.clone()
        };
        let address = self.cluster.address();
        Errand::start(
            &self.worker,
            &self.directory,
            &address,
            &behaviour,
            arguments,
        )
    }

    pub(crate) fn worker(&self, who: &str) -> Result<&Worker> {
        let found = self.workers.iter().find(|worker| worker.who == who);
        found.with_context(|| format!("{who} does not run"))
    }

    fn take(&mut self, who: &str) -> Result<Worker> {
        let place = self.workers.iter().position(|worker| worker.who == who);
        let place = place.with_context(|| format!("{who} does not run"))?;
        Ok(self.workers.remove(place))
    }

    /// Ends a worker with SIGKILL.
    pub(crate) fn kill(&mut self, who: &str) -> Result<()> {
        let worker = self.take(who)?;
        worker.signal(Signal::SIGKILL)?;
        worker.await_death(LONG)?;
        self.write(who, What::Killed, "")
    }

    /// Waits until a worker has killed itself.
    pub(crate) fn await_death(&mut self, who: &str, limit: Duration) -> Result<()> {
        self.worker(who)?.await_death(limit)?;
        drop(self.take(who)?);
        self.write(who, What::Killed, "by its own hand")
    }

    /// The same for several, in whichever order they die: what one did last is excused by when it
    /// died, so that is noted at once.
    pub(crate) fn await_deaths(&mut self, doomed: &[String], limit: Duration) -> Result<()> {
        let start = Instant::now();
        let mut alive = doomed.to_vec();
        while !alive.is_empty() {
            for who in std::mem::take(&mut alive) {
                let ended = self.worker(&who)?.ended()?.is_some();
                if ended || start.elapsed() > limit {
                    // One that still runs is told of there.
                    self.await_death(&who, Duration::ZERO)?;
                } else {
                    alive.push(who);
                }
            }
            go_on(LOOK);
        }
        Ok(())
    }

    pub(crate) fn pause(&mut self, who: &str) -> Result<()> {
        self.worker(who)?.signal(Signal::SIGSTOP)?;
        self.write(who, What::Stopped, "")
    }

    pub(crate) fn resume(&mut self, who: &str) -> Result<()> {
        self.write(who, What::Continued, "")?;
        self.worker(who)?.signal(Signal::SIGCONT)
    }

    /// Asks a worker to end, which must leave nothing undone.
    pub(crate) fn stop(&mut self, who: &str) -> Result<()> {
        let limit = self.behaviour.drain + LONG;
        let report = self.worker(who)?.stop(limit)?;
        drop(self.take(who)?);
        self.write(who, What::Ended, &report.to_string())?;
        if report["drained"] != true {
            self.violates(
                "I7",
                format!("{who} was asked to end and did not drain: {report}"),
            );
        }
        Ok(())
    }
}
