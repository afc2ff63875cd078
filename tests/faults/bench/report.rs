//! What a run says: a line for each scenario, its violations at once, and a table at the end.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use serde_json::{Value, json};

use crate::checker::Violation;
use crate::scenarios::Scenario;
use crate::scene::{Bench, Verdict};

/// What the scenarios of a run found.
#[derive(Default)]
pub(crate) struct Report {
    entries: Vec<Entry>,
}

struct Entry {
    name: &'static str,
    seed: u64,
    took: Duration,
    /// What a first run violated that another one was to confirm.
    at_first: Vec<Violation>,
    /// An error is a scenario that could not be played to its end.
    outcome: Result<Verdict>,
}

impl Entry {
    fn is_clean(&self) -> bool {
        self.outcome
            .as_ref()
            .is_ok_and(|verdict| verdict.violations.is_empty())
    }

    /// Whether it is not clean for reasons alone that a busy machine explains.
    fn may_be_chance(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|verdict| {
            let mut violations = verdict.violations.iter();
            violations.len() > 0 && violations.all(Violation::may_be_chance)
        })
    }

    /// The invariants that do not hold.
    fn violated(&self) -> Vec<&'static str> {
        let Ok(verdict) = &self.outcome else {
            return vec!["not played to its end"];
        };
        names(&verdict.violations)
    }
}

/// The invariants of violations.
fn names(violations: &[Violation]) -> Vec<&'static str> {
    let mut names: Vec<_> = violations.iter().map(|found| found.invariant).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Report {
    /// Runs a scenario, and once more if it violated only what a busy machine can: what holds then is no fault of ours.
    pub(crate) fn confirm(&mut self, bench: &Bench<'_>, scenario: &Scenario) -> Result<()> {
        self.run(bench, scenario);
        let Some(first) = self.entries.pop_if(|entry| entry.may_be_chance()) else {
            return Ok(());
        };
        let name = scenario.name;
        let (from, to) = (name.to_owned(), format!("{name}.first"));
        let (from, to) = (bench.directory.join(from), bench.directory.join(to));
        eprintln!(
            "[{name}] a busy machine can do that: once more, and its history goes to {}",
            to.display()
        );
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        fs::rename(from, to)?;
        self.run(bench, scenario);
        if let (Some(entry), Ok(verdict)) = (self.entries.last_mut(), first.outcome) {
            entry.at_first = verdict.violations;
            entry.took += first.took;
        }
        Ok(())
    }

    /// Runs a scenario and answers what it violated.
    pub(crate) fn run(&mut self, bench: &Bench<'_>, scenario: &Scenario) -> Vec<&'static str> {
        let start = Instant::now();
        eprintln!(
            "[{}] {} (seed {})",
            scenario.name, scenario.about, bench.seed
        );
        let entry = Entry {
            name: scenario.name,
            seed: bench.seed,
            outcome: scenario.play(bench),
            took: start.elapsed(),
            at_first: Vec::new(),
        };
        // Whatever it did to the lines must not reach the next one.
        bench.cluster.rules.clear();
        match &entry.outcome {
            Err(error) => eprintln!("[{}] FAILED: {error:#}", entry.name),
            Ok(verdict) => {
                for violation in &verdict.violations {
                    eprintln!("[{}] VIOLATED {violation}", entry.name);
                }
            }
        }
        if !entry.is_clean() {
            let (name, seed) = (entry.name, entry.seed);
            eprintln!("[{name}] once more: cargo xtask faults {name} --seed {seed}");
            eprintln!(
                "[{name}] history and logs: {}",
                bench.directory.join(name).display()
            );
        }
        let violated = entry.violated();
        self.entries.push(entry);
        violated
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.entries.iter().all(Entry::is_clean)
    }

    /// The table, or everything as JSON.
    pub(crate) fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            let all: Vec<_> = self.entries.iter().map(json_of).collect();
            println!("{}", serde_json::to_string_pretty(&all)?);
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY).set_header([
            "scenario", "seed", "", "took", "recovery", "tasks", "attempts", "repeats", "overlaps",
            "lost", "letters", "parked", "memory", "stall",
        ]);
        for entry in &self.entries {
            let mut word = match entry.is_clean() {
                true => "ok".to_owned(),
                false => entry.violated().join(" "),
            };
            if !entry.at_first.is_empty() {
                word = format!("{word}, at first {}", names(&entry.at_first).join(" "));
            }
            let mut row = vec![
                entry.name.to_owned(),
                entry.seed.to_string(),
                word,
                seconds(entry.took),
            ];
            if let Ok(verdict) = &entry.outcome {
                let counts = &verdict.counts;
                row.push(seconds(verdict.recovery));
                for count in [
                    counts.tasks,
                    counts.attempts,
                    counts.repeats,
                    counts.overlaps,
                    counts.lost,
                    counts.letters,
                    counts.parked,
                ] {
                    row.push(count.to_string());
                }
                row.push(format!("{} MiB", counts.memory >> 10));
                row.push(seconds(counts.stall));
            }
            table.add_row(row);
        }
        println!("{table}");
        Ok(())
    }
}

fn json_of(entry: &Entry) -> Value {
    let mut all = json!({
        "scenario": entry.name,
        "seed": entry.seed,
        "ok": entry.is_clean(),
        "seconds": entry.took.as_secs_f64(),
        "violations_at_first": texts(&entry.at_first),
    });
    match &entry.outcome {
        Err(error) => all["error"] = format!("{error:#}").into(),
        Ok(verdict) => {
            all["violations"] = texts(&verdict.violations).into();
            all["recovery_seconds"] = verdict.recovery.as_secs_f64().into();
            all["history"] = verdict.history.display().to_string().into();
            let counts = &verdict.counts;
            all["tasks"] = counts.tasks.into();
            all["attempts"] = counts.attempts.into();
            all["repeats"] = counts.repeats.into();
            all["overlaps"] = counts.overlaps.into();
            all["lost_partitions"] = counts.lost.into();
            all["dead_letters"] = counts.letters.into();
            all["parked"] = counts.parked.into();
            all["emission_copies"] = counts.copies.into();
            all["memory_kib"] = counts.memory.into();
            all["stall_seconds"] = counts.stall.as_secs_f64().into();
        }
    }
    all
}

fn texts(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
