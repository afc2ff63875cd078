//! Reads a scenario's history and topics afterwards, and says which invariants do not hold.

mod emissions;
mod letters;
mod loss;
mod order;
mod progress;
mod repeats;
mod stalls;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use faults::{Line, What};

use crate::topics::Found;
pub(crate) use stalls::longest;
pub(crate) use tasks::Ledger;

/// The handlers of a worker.
pub(crate) const HANDLERS: [&str; 2] = ["work", "audit"];
/// The one that emits.
pub(crate) const EMITTING: &str = "work";

/// Violations of one invariant that are told in full.
const TOLD: usize = 3;
/// Lines of the history that are told with each.
const LINES: usize = 12;

/// What a scenario left behind.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) group: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) tasks: Vec<Found>,
    pub(crate) done: Vec<Found>,
    pub(crate) letters: Vec<Found>,
    pub(crate) parked: Vec<Found>,
}

/// What a scenario's fault excuses.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    /// What was done so shortly before a process was lost may be done again; the commit interval, and time to commit. For
    /// as long as the machine kept a process from running it is longer.
    pub(crate) window: Duration,
    /// A fault between `Fault` and `Healed` loses every process, as far as commits and ownership go.
    pub(crate) faults_lose: bool,
    /// Attempts of a stopped or cut-off member may overlap its successor's (D8), and are counted.
    pub(crate) overlaps: bool,
    /// Keys whose tasks all end as dead letters.
    pub(crate) given_up: BTreeSet<String>,
    /// Keys whose tasks end as dead letters, and are done once they are redriven.
    pub(crate) redriven: BTreeSet<String>,
    /// Keys that are parked: their records are done for the group once they stand in the parked log.
    pub(crate) parked: BTreeSet<String>,
    /// Records that nobody can read any more, as partition and offsets below which that is so.
    pub(crate) gone: BTreeMap<i32, i64>,
    /// Duplicates that come after the window of ids has forgotten them.
    pub(crate) late_duplicates: bool,
    /// Attempts before a task is given up.
    pub(crate) attempts: u32,
    /// Resident memory of a worker, in KiB.
    pub(crate) memory: i64,
}

impl Default for Allowed {
    fn default() -> Self {
        Self {
            window: Duration::from_millis(2_500),
            faults_lose: false,
            overlaps: false,
            given_up: BTreeSet::new(),
            redriven: BTreeSet::new(),
            parked: BTreeSet::new(),
            gone: BTreeMap::new(),
            late_duplicates: false,
            attempts: 3,
            // A debug build with three threads' worth of queues needs about a tenth; a leak of records passes it soon.
            memory: 400 << 10,
        }
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) text: String,
    pub(crate) lines: Vec<Line>,
    /// A busy machine is no excuse for it.
    is_firm: bool,
}

impl Violation {
    pub(crate) fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self {
            invariant,
            text: text.into(),
            lines: Vec::new(),
            is_firm: !matches!(invariant, "I7" | "fault"),
        }
    }

    /// One that no busy machine explains, whatever its invariant.
    pub(crate) fn firm(mut self) -> Self {
        self.is_firm = true;
        self
    }

    /// Whether another run may tell a fault from a busy machine: bounds of time, and faults that met nothing.
    pub(crate) fn may_be_chance(&self) -> bool {
        !self.is_firm
    }

    fn with<'a>(mut self, lines: impl IntoIterator<Item = &'a Line>) -> Self {
        self.lines.extend(lines.into_iter().take(LINES).cloned());
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)?;
        for line in &self.lines {
            let text = serde_json::to_string(line).map_err(|_| fmt::Error)?;
            write!(f, "\n    {text}")?;
        }
        Ok(())
    }
}

/// What was counted along the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tasks: usize,
    pub(crate) attempts: usize,
    /// Effects beyond the first.
    pub(crate) repeats: usize,
    pub(crate) overlaps: usize,
    /// Partitions whose member was given up by the group.
    pub(crate) lost: usize,
    pub(crate) letters: usize,
    /// Records that stand or stood in the parked log.
    pub(crate) parked: usize,
    /// Copies of an emission beyond the first.
    pub(crate) copies: usize,
    pub(crate) memory: i64,
    /// For how long the machine kept a process from running, at the longest.
    pub(crate) stall: Duration,
}

/// Checks I1 to I6 and the memory of I7; recovery is timed by the scenario.
pub(crate) fn check(evidence: &Evidence, allowed: &Allowed) -> (Vec<Violation>, Counts) {
    let ledger = Ledger::of(evidence);
    let mut counts = Counts {
        tasks: evidence.tasks.len(),
        letters: evidence.letters.len(),
        parked: ledger.parked.len(),
        stall: longest(&evidence.lines),
        ..Counts::default()
    };
    let allowed = &Allowed {
        window: allowed.window + counts.stall,
        ..allowed.clone()
    };
    let mut all = Vec::new();
    all.extend(loss::check(evidence, &ledger, allowed));
    all.extend(repeats::check(evidence, allowed, &mut counts));
    all.extend(order::check(evidence, &ledger, allowed, &mut counts));
    all.extend(progress::check(evidence, &ledger, allowed));
    all.extend(emissions::check(evidence, &ledger, allowed, &mut counts));
    all.extend(letters::check(evidence, &ledger, allowed));
    for line in &evidence.lines {
        match line.what {
            What::Begin => counts.attempts += 1,
            What::Memory => counts.memory = counts.memory.max(line.offset),
            _ => {}
        }
    }
    if counts.memory > allowed.memory {
        let text = format!(
            "a worker held {} MiB, above its cap of {}",
            counts.memory >> 10,
            allowed.memory >> 10
        );
        all.push(Violation::new("I7", text).firm());
    }
    (abridged(all), counts)
}

/// The first of each invariant, and how many more.
fn abridged(all: Vec<Violation>) -> Vec<Violation> {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for violation in all {
        let count = seen.entry(violation.invariant).or_default();
        *count += 1;
        if *count <= TOLD {
            kept.push(violation);
        }
    }
    for (invariant, count) in seen {
        if count > TOLD {
            kept.push(Violation::new(invariant, format!("{} more", count - TOLD)));
        }
    }
    kept
}
