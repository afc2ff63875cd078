//! What an attempt does: it writes itself down, waits, and fails or not, as it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use end_to_end_tests::{Behaviour, History, Line, What, now_micros};
use events_kafka::Meta;
use tokio::time::sleep;

/// How often a closed gate is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What attempts share.
pub(crate) struct Attempts {
    history: History,
    delay: Duration,
    gates: BTreeMap<String, PathBuf>,
    poison: BTreeSet<String>,
}

impl Attempts {
    pub(crate) fn new(behaviour: &Behaviour) -> anyhow::Result<Self> {
        let path = &behaviour.history;
        let history =
            History::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            history,
            delay: behaviour.delay,
            gates: behaviour.gates.clone(),
            poison: behaviour.poison.iter().cloned().collect(),
        })
    }

    /// One attempt of a blocking handler called `work`; nothing but its gate ends its wait.
    pub(crate) fn run_blocking(&self, key: &str, meta: &Meta) -> anyhow::Result<()> {
        let mut attempt = self.attempt("work", key, meta);
        attempt.write(What::Begin)?;
        if let Some(gate) = self.gates.get(key) {
            while !gate.exists() {
                std::thread::sleep(LOOK);
            }
        }
        attempt.ended = true;
        attempt.write(What::End)
    }

    fn attempt(&self, handler: &str, key: &str, meta: &Meta) -> Attempt<'_> {
        Attempt {
            history: &self.history,
            line: Line {
                at: 0,
                pid: std::process::id(),
                handler: handler.to_owned(),
                what: What::Begin,
                id: meta.id.clone(),
                key: key.to_owned(),
                partition: meta.partition,
                offset: meta.offset,
                attempt: meta.attempt,
            },
            ended: false,
        }
    }

    /// One attempt of `handler`.
    pub(crate) async fn run(&self, handler: &str, key: &str, meta: &Meta) -> anyhow::Result<()> {
        let mut attempt = self.attempt(handler, key, meta);
        attempt.write(What::Begin)?;
        if self.delay > Duration::ZERO {
            sleep(self.delay).await;
        }
        if let Some(gate) = self.gates.get(key).filter(|_| handler == "work") {
            while !gate.exists() {
                sleep(LOOK).await;
            }
        }
        attempt.ended = true;
        if self.poison.contains(key) {
            attempt.write(What::Fail)?;
            return Err(anyhow::anyhow!("the task is poison"))
                .context(format!("{handler} cannot do {key}"));
        }
        attempt.write(What::End)
    }
}

/// An attempt under way. What drops it is written down.
struct Attempt<'a> {
    history: &'a History,
    line: Line,
    ended: bool,
}

impl Attempt<'_> {
    fn write(&mut self, what: What) -> anyhow::Result<()> {
        self.line.what = what;
        self.line.at = now_micros();
        if let Err(error) = self.history.append(&self.line) {
            bail!("the history cannot be written: {error}");
        }
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // A test that looks for this line names it when it is missing.
            let _ = self.write(What::Drop);
        }
    }
}
