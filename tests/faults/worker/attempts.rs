//! What an attempt does: it writes itself down, takes its time, and fails or not, as it was told.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use events_kafka::Meta;
use faults::{Behaviour, Fate, History, Line, Task, What};

/// What attempts share.
pub(crate) struct Attempts {
    pub(crate) history: History,
    delay: (Duration, Duration),
    fates: BTreeMap<String, Fate>,
    random: Mutex<fastrand::Rng>,
    /// The assignment of each partition.
    epochs: Mutex<BTreeMap<i32, u32>>,
}

impl Attempts {
    pub(crate) fn new(behaviour: &Behaviour) -> anyhow::Result<Self> {
        let path = &behaviour.history;
        let history = History::open(path, &behaviour.who)
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            history,
            delay: behaviour.delay,
            fates: behaviour.fates.clone(),
            random: Mutex::new(fastrand::Rng::with_seed(behaviour.seed)),
            epochs: Mutex::default(),
        })
    }

    #[cfg_attr(not(feature = "failpoints"), expect(dead_code))]
    pub(crate) fn assigned(&self, partition: i32, epoch: u32) {
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.insert(partition, epoch);
    }

    fn epoch(&self, partition: i32) -> u32 {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.get(&partition).copied().unwrap_or(0)
    }

    /// One attempt of an async handler.
    pub(crate) async fn run(&self, handler: &str, task: &Task, meta: &Meta) -> anyhow::Result<()> {
        let mut attempt = self.begin(handler, task, meta)?;
        tokio::time::sleep(self.takes(task, meta)).await;
        attempt.end(self.fails(task))
    }

    /// One attempt of a blocking handler.
    pub(crate) fn block(&self, handler: &str, task: &Task, meta: &Meta) -> anyhow::Result<()> {
        let mut attempt = self.begin(handler, task, meta)?;
        // Only what is told to take its time does: a thread for each task would be the machine's limit.
        if self.fates.contains_key(&task.key) {
            thread::sleep(self.takes(task, meta));
        }
        attempt.end(self.fails(task))
    }

    fn takes(&self, task: &Task, meta: &Meta) -> Duration {
        match self.fates.get(&task.key) {
            Some(Fate::Slow(time)) => *time,
            Some(Fate::FailWhileThenSlow(file, time)) if !file.exists() => *time,
            Some(Fate::HangOnce(time)) if meta.attempt == 1 => *time,
            _ => {
                let (least, most) = self.delay;
                let range = least.as_micros() as u64..=most.as_micros() as u64;
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                Duration::from_micros(random.u64(range))
            }
        }
    }

    fn fails(&self, task: &Task) -> bool {
        match self.fates.get(&task.key) {
            Some(Fate::Fail) => true,
            Some(Fate::FailWhile(file) | Fate::FailWhileThenSlow(file, _)) => file.exists(),
            _ => false,
        }
    }

    fn begin(&self, handler: &str, task: &Task, meta: &Meta) -> anyhow::Result<Attempt<'_>> {
        let attempt = Attempt {
            attempts: self,
            line: Line {
                handler: handler.to_owned(),
                id: meta.id.clone(),
                key: task.key.clone(),
                partition: meta.partition,
                offset: meta.offset,
                attempt: meta.attempt,
                epoch: self.epoch(meta.partition),
                ..Line::default()
            },
            ended: false,
        };
        attempt.write(What::Begin)?;
        Ok(attempt)
    }
}

/// An attempt under way. What drops it is written down.
struct Attempt<'a> {
    attempts: &'a Attempts,
    line: Line,
    ended: bool,
}

impl Attempt<'_> {
    fn write(&self, what: What) -> anyhow::Result<()> {
        let line = Line {
            what,
            ..self.line.clone()
        };
        let written = self.attempts.history.append(line);
        written.context("the history cannot be written")
    }

    fn end(&mut self, fails: bool) -> anyhow::Result<()> {
        self.ended = true;
        if fails {
            self.write(What::Fail)?;
            return Err(anyhow!("the task is poison"))
                .with_context(|| format!("{} cannot do {}", self.line.handler, self.line.key));
        }
        self.write(What::Effect)?;
        self.write(What::End)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Whoever looks for this line names it when it is missing.
            let _ = self.write(What::Drop);
        }
    }
}
