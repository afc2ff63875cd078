//! One scenario under way: its topics, its workers, its load, and what it found.

mod members;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use faults::{Behaviour, DONE, History, Line, TASKS, What};
use rdkafka::consumer::BaseConsumer;

use crate::checker::{Allowed, Counts, Evidence, Violation, check, longest};
use crate::cluster::Cluster;
use crate::crew::Worker;
use crate::load::{Entry, Load, Plan, Tasks};
use crate::membership::Membership;
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
    /// The scenario that is played.
    pub(crate) scenario: &'static str,
    pub(crate) membership: Membership,
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
    properties: Vec<(String, String)>,
    pub(crate) membership: Membership,
    name: String,
    worker: PathBuf,
    directory: PathBuf,
    history: Arc<History>,
    client: BaseConsumer,
    workers: Vec<Worker>,
    started: u32,
    load: Option<Load>,
    /// The next task's number.
    numbers: Arc<AtomicU64>,
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
    pub(crate) fn new(bench: &Bench<'a>) -> Result<Self> {
        Self::named(bench, bench.scenario)
    }

    /// The same for a further part of a scenario.
    pub(crate) fn named(bench: &Bench<'a>, name: &str) -> Result<Self> {
        let directory = bench.directory.join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let begun = Instant::now();
        // Of its own, so that nothing of an earlier run is committed.
        let group = format!("faults-{name}-{}-{}", bench.seed, std::process::id());
        let letters = format!("{group}.dead-letters");
        let parked = format!("{group}.parked.{TASKS}");
        bench.cluster.rules.clear();
        bench.cluster.reset(&[
            (TASKS, PARTITIONS),
            (DONE, PARTITIONS),
            (&letters, 2),
            (&parked, PARTITIONS),
        ])?;
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
            membership: bench.membership,
            name: name.to_owned(),
            worker: bench.worker.clone(),
            directory,
            history,
            client,
            workers: Vec::new(),
            started: 0,
            load: None,
            numbers: Arc::new(AtomicU64::new(1)),
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

    pub(crate) fn parked(&self) -> String {
        format!("{}.parked.{TASKS}", self.group)
    }

    pub(crate) fn lines(&self) -> Result<Vec<Line>> {
        Ok(self.history.lines()?)
    }

    /// Sets a variable for every worker that is started from now on.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.properties.push((name.to_owned(), value.to_owned()));
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

    pub(crate) fn violates(&mut self, invariant: &'static str, text: impl Into<String>) {
        self.violations.push(Violation::new(invariant, text));
    }

    /// Writes single records.
    pub(crate) fn write_tasks(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<()> {
        let tasks = Tasks::new(self.cluster, Arc::clone(&self.history))?;
        for entry in entries {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            tasks.write(&Entry { number, ..entry })?;
        }
        tasks.flush()
    }

    /// Writes records as they are, such as further copies of earlier ones.
    pub(crate) fn rewrite(&self, entries: &[Entry]) -> Result<()> {
        let tasks = Tasks::new(self.cluster, Arc::clone(&self.history))?;
        for entry in entries {
            tasks.write(entry)?;
        }
        tasks.flush()
    }

    /// Starts a load of `rate` tasks a second; each of the `further` keys has one of a hundred.
    pub(crate) fn load(&mut self, rate: u64, further: &[&str]) -> Result<()> {
        let plan = Plan {
            keys: KEYS,
            partitions: PARTITIONS as u64,
            further: further.iter().map(|key| (*key).to_owned()).collect(),
            duplicates: 40,
        };
        let tasks = Tasks::new(self.cluster, Arc::clone(&self.history))?;
        let seed = self.random.u64(..);
        let numbers = Arc::clone(&self.numbers);
        self.load = Some(Load::start(tasks, plan, rate, numbers, seed));
        Ok(())
    }

    pub(crate) fn set_rate(&self, rate: u64) {
        if let Some(load) = &self.load {
            load.set_rate(rate);
        }
    }

    pub(crate) fn end_load(&mut self) -> Result<()> {
        self.load.take().map_or(Ok(()), Load::finish)
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

    /// The fault begins.
    pub(crate) fn fault(&mut self, what: &str) -> Result<()> {
        self.say(what);
        self.write("", What::Fault, what)
    }

    /// The fault is over: from here on recovery is timed.
    pub(crate) fn heal(&mut self) -> Result<()> {
        self.time_from_here();
        self.say("healed");
        self.write("", What::Healed, "")
    }

    /// What is to be done can be done: from here on recovery is timed.
    pub(crate) fn time_from_here(&mut self) {
        self.healed = Instant::now();
        self.recovery = None;
    }

    /// Ends the load and waits until all of it is done and committed. Past `bound` recovery is violated; what does not
    /// come long after that is lost.
    pub(crate) fn recover(&mut self, bound: Duration) -> Result<()> {
        self.end_load()?;
        let ends = self.cluster.ends(TASKS)?;
        let caught_up = until("everything is done and committed", bound + LONG, || {
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
        }
        self.bounded("recovery", took, bound)
    }

    /// I7: something took no longer than it may.
    fn bounded(&mut self, what: &str, took: Duration, bound: Duration) -> Result<()> {
        // And for how long the machine let a process wait.
        let bound = bound + longest(&self.lines()?);
        if took > bound {
            let text = format!("{what} took {took:.1?}, above its bound of {bound:.1?}");
            self.violates("I7", text);
        }
        Ok(())
    }

    /// Ends what still runs without a check; answers what was found so far, and the recovery.
    pub(crate) fn abandon(mut self) -> Result<(Vec<Violation>, Duration)> {
        self.workers.clear();
        self.cluster
            .delete(&[&self.dead_letters(), &self.parked()])?;
        let violations = std::mem::take(&mut self.violations);
        Ok((violations, self.recovery.unwrap_or_default()))
    }

    /// Ends what still runs, and checks.
    pub(crate) fn finish(mut self, bound: Duration) -> Result<Verdict> {
        if self.recovery.is_none() {
            self.recover(bound)?;
        }
        for worker in &self.workers {
            if let Some(status) = worker.ended()? {
                let text = format!("{} ended by itself: {status}", worker.who);
                self.violations.push(Violation::new("I7", text).firm());
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
            parked: topics::records(self.cluster, &self.parked())?,
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
        self.cluster
            .delete(&[&self.dead_letters(), &self.parked()])?;
        Ok(verdict)
    }
}
