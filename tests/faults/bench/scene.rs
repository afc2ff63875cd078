//! One scenario under way: its topics, its workers, its load, and what it found.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use faults::{Behaviour, DONE, History, Kill, Line, TASKS, What};
use nix::sys::signal::Signal;
use rdkafka::consumer::BaseConsumer;

use crate::checker::{Allowed, Counts, Evidence, Violation, check};
use crate::cluster::Cluster;
use crate::crew::Worker;
use crate::load::{Entry, Load, Plan, Tasks};
use crate::observer::{Observer, committed};
use crate::topics;
use crate::wait::{LONG, go_on, holds, until};

/// Partitions of the topic of tasks.
pub(crate) const PARTITIONS: i32 = 6;
/// Keys of the load.
const KEYS: u64 = 48;
/// How often workers are looked at while a scenario runs on.
const LOOK: Duration = Duration::from_millis(200);

/// What every scenario of a run shares.
pub(crate) struct Bench<'a> {
    pub(crate) cluster: &'a Cluster,
    /// The worker's program.
    pub(crate) worker: PathBuf,
    /// Where histories and logs go.
    pub(crate) directory: PathBuf,
    pub(crate) seed: u64,
    /// How much longer than in the short form faults last.
    pub(crate) longer: u32,
}

/// One scenario under way.
pub(crate) struct Scene<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) group: String,
    pub(crate) random: fastrand::Rng,
    pub(crate) allowed: Allowed,
    /// What each worker that is started from now on does.
    pub(crate) behaviour: Behaviour,
    /// Further variables of its environment.
    pub(crate) properties: Vec<(&'static str, &'static str)>,
    name: String,
    worker: PathBuf,
    directory: PathBuf,
    history: Arc<History>,
    client: BaseConsumer,
    workers: Vec<Worker>,
    started: u32,
    load: Option<Load>,
    next: u64,
    longer: u32,
    begun: Instant,
    healed: Instant,
    recovery: Option<Duration>,
    violations: Vec<Violation>,
    // Last, so that it looks until everything else is gone.
    _observer: Observer,
}

/// How a scenario ended.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) violations: Vec<Violation>,
    pub(crate) counts: Counts,
    pub(crate) recovery: Duration,
    pub(crate) history: PathBuf,
}

impl<'a> Scene<'a> {
    /// Topics without a record, a group without members.
    pub(crate) fn new(bench: &Bench<'a>, name: &str) -> Result<Self> {
        let directory = bench.directory.join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let begun = Instant::now();
        // Of its own, so that nothing of an earlier run is committed.
        let group = format!("faults-{name}-{}-{}", bench.seed, std::process::id());
        let letters = format!("{group}.dead-letters");
        bench.cluster.rules.clear();
        bench
            .cluster
            .reset(&[(TASKS, PARTITIONS), (DONE, PARTITIONS), (&letters, 2)])?;
        let file = directory.join("history.jsonl");
        let history = Arc::new(History::open(&file, "bench")?);
        let client = bench.cluster.speaker(&group)?;
        let observer = Observer::start(bench.cluster, &group, PARTITIONS, Arc::clone(&history))?;
        let behaviour = Behaviour::plain(String::new(), group.clone(), file);
        Ok(Self {
            cluster: bench.cluster,
            group,
            random: fastrand::Rng::with_seed(bench.seed),
            allowed: Allowed::default(),
            behaviour,
            properties: Vec::new(),
            name: name.to_owned(),
            worker: bench.worker.clone(),
            directory,
            history,
            client,
            workers: Vec::new(),
            started: 0,
            load: None,
            next: 1,
            longer: bench.longer,
            begun,
            healed: Instant::now(),
            recovery: None,
            violations: Vec::new(),
            _observer: observer,
        })
    }

    /// A line for whoever watches.
    pub(crate) fn say(&self, text: &str) {
        eprintln!(
            "[{}] {:>4.0} s  {text}",
            self.name,
            self.begun.elapsed().as_secs_f64()
        );
    }

    /// A time of the short form, as long as this run has it.
    pub(crate) fn lasting(&self, short: Duration) -> Duration {
        short * self.longer
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.group)
    }

    pub(crate) fn lines(&self) -> Result<Vec<Line>> {
        Ok(self.history.lines()?)
    }

    fn write(&self, who: &str, what: What, note: &str) -> Result<()> {
        let line = Line {
            who: who.to_owned(),
            what,
            note: note.to_owned(),
            ..Line::default()
        };
        Ok(self.history.append(line)?)
    }

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

    pub(crate) fn violates(&mut self, invariant: &'static str, text: impl Into<String>) {
        self.violations.push(Violation::new(invariant, text));
    }

    /// Writes single records.
    pub(crate) fn write_tasks(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<()> {
        let tasks = Tasks::new(self.cluster, Arc::clone(&self.history))?;
        for entry in entries {
            let number = self.next;
            self.next += 1;
            tasks.write(&Entry { number, ..entry })?;
        }
        tasks.flush()
    }

    /// Starts a load of `rate` tasks a second, whose further keys are those with a fate.
    pub(crate) fn load(&mut self, rate: u64) -> Result<()> {
        let plan = Plan {
            keys: KEYS,
            partitions: PARTITIONS as u64,
            further: self.behaviour.fates.keys().cloned().collect(),
            duplicates: 40,
        };
        let tasks = Tasks::new(self.cluster, Arc::clone(&self.history))?;
        let seed = self.random.u64(..);
        self.load = Some(Load::start(tasks, plan, rate, self.next, seed));
        Ok(())
    }

    pub(crate) fn set_rate(&self, rate: u64) {
        if let Some(load) = &self.load {
            load.set_rate(rate);
        }
    }

    pub(crate) fn end_load(&mut self) -> Result<()> {
        if let Some(load) = self.load.take() {
            self.next = load.finish()?;
        }
        Ok(())
    }

    /// Lets everything run on, and looks after the workers' memory and lives.
    pub(crate) fn run_on(&mut self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            go_on(LOOK.min(time.saturating_sub(start.elapsed())));
            for worker in &self.workers {
                if let Some(offset) = worker.memory() {
                    let line = Line {
                        who: worker.who.clone(),
                        what: What::Memory,
                        offset,
                        ..Line::default()
                    };
                    self.history.append(line)?;
                }
            }
        }
        Ok(())
    }

    /// Waits until each of the workers has ended an attempt after now.
    pub(crate) fn await_work(&self, whos: &[&str]) -> Result<()> {
        let known = self.lines()?.len();
        until("every worker works", LONG, || {
            let lines = self.lines().map_err(|error| error.to_string())?;
            let idle: Vec<_> = whos
                .iter()
                .filter(|who| {
                    !lines[known..]
                        .iter()
                        .any(|line| line.what == What::End && line.who == **who)
                })
                .collect();
            holds(idle.is_empty(), || format!("idle: {idle:?}"))
        })
    }

    /// The fault begins.
    pub(crate) fn fault(&mut self, what: &str) -> Result<()> {
        self.say(what);
        self.write("", What::Fault, what)
    }

    /// The fault is over: from here on recovery is timed.
    pub(crate) fn heal(&mut self) -> Result<()> {
        self.healed = Instant::now();
        self.recovery = None;
        self.say("healed");
        self.write("", What::Healed, "")
    }

    /// Ends the load and waits until all of it is done and committed. Past `bound` recovery is violated.
    pub(crate) fn recover(&mut self, bound: Duration) -> Result<()> {
        self.end_load()?;
        let ends = self.cluster.ends(TASKS)?;
        let caught_up = until("everything is done and committed", bound.max(LONG), || {
            let committed =
                committed(&self.client, PARTITIONS).map_err(|error| error.to_string())?;
            let open: Vec<_> = ends
                .iter()
                .enumerate()
                .filter(|(partition, (low, end))| {
                    let at = committed
                        .get(&(*partition as i32))
                        .map_or(*low, |found| found.0);
                    at != *end
                })
                .map(|(partition, ends)| (partition, ends.1, committed.get(&(partition as i32))))
                .collect();
            holds(open.is_empty(), || {
                format!("partition, end, committed: {open:?}")
            })
        });
        let took = self.healed.elapsed();
        self.recovery = Some(took);
        if let Err(error) = caught_up {
            self.violates("I1", format!("{error:#}"));
        } else if took > bound {
            self.violates(
                "I7",
                format!("recovery took {took:.1?}, above its bound of {bound:?}"),
            );
        }
        Ok(())
    }

    /// Ends what still runs, and checks.
    pub(crate) fn finish(mut self, bound: Duration) -> Result<Verdict> {
        if self.recovery.is_none() {
            self.recover(bound)?;
        }
        for worker in &self.workers {
            if let Some(status) = worker.ended()? {
                let text = format!("{} ended by itself: {status}", worker.who);
                self.violations.push(Violation::new("I7", text));
            }
        }
        self.workers
            .retain(|worker| matches!(worker.ended(), Ok(None)));
        for who in self
            .workers
            .iter()
            .map(|worker| worker.who.clone())
            .collect::<Vec<_>>()
        {
            self.stop(&who)?;
        }
        let evidence = Evidence {
            lines: self.lines()?,
            tasks: topics::records(self.cluster, TASKS)?,
            done: topics::records(self.cluster, DONE)?,
            letters: topics::records(self.cluster, &self.dead_letters())?,
            group: self.group.clone(),
        };
        let (found, counts) = check(&evidence, &self.allowed);
        self.violations.extend(found);
        let verdict = Verdict {
            violations: std::mem::take(&mut self.violations),
            counts,
            recovery: self.recovery.unwrap_or_default(),
            history: self.history.path().to_owned(),
        };
        self.cluster.delete(&[&self.dead_letters()])?;
        Ok(verdict)
    }
}
