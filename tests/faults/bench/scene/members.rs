//! The workers of a scene: started, killed, stopped, asked to end.

use std::time::Duration;

use anyhow::{Context, Result};
use faults::{Behaviour, Kill, What};
use nix::sys::signal::Signal;

use super::Scene;
use crate::crew::{Errand, Worker};
use crate::wait::LONG;

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
        let worker = Worker::start(
            &self.worker,
            &self.directory,
            &address,
            &behaviour,
            &self.properties,
        )?;
        self.workers.push(worker);
        Ok(behaviour.who)
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
