//! `contracts lock`: what this build declares, as drafts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use events_core::Fault;
use events_core::company::{Finding, Severity};
use events_core::contract::{Contract, Declaration, review_released};

use crate::error::LocksError;
use crate::outcome::{Change, Outcome, counted};
use crate::shelves::Shelves;
use crate::write;

pub(crate) fn lock(shelves: &Shelves) -> Result<Outcome, LocksError> {
    let (contracts, mut findings) = read(shelves);
    findings.extend(of_one_file(shelves));
    if !findings.is_empty() {
        let summary = "nothing is written: put these locks right first".to_owned();
        return Ok(Outcome {
            findings,
            summary,
            ..Outcome::default()
        });
    }
    let mut outcome = Outcome::default();
    let mut touched = BTreeSet::new();
    for (declared, contract) in shelves.declared().iter().zip(contracts) {
        let is_new = contract.is_none();
        let contract = contract.unwrap_or_else(|| Contract::new(&declared.event));
        outcome
            .findings
            .extend(review_released(declared, &contract));
        let what = draft(shelves, declared, contract)?;
        // The macro saw no lock, and so did not ask for a new build when one comes.
        if is_new && let Some(source) = declared.source(shelves.directory(declared)) {
            touched.insert(source);
        }
        outcome.changes.push(Change {
            event: declared.event.clone(),
            file: shelves.shown(&shelves.lock_file(declared)),
            version: declared.written.version,
            what,
        });
    }
    touched.iter().try_for_each(|source| write::touch(source))?;
    outcome.summary = summary(&outcome);
    Ok(outcome)
}

/// The locks, in the order of the declarations, and those that cannot be read.
pub(crate) fn read(shelves: &Shelves) -> (Vec<Option<Contract>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let read = shelves.declared().iter().map(|declared| {
        let read = declared.read_lock(shelves.directory(declared));
        read.unwrap_or_else(|error| {
            let finding = error.finding();
            findings.push(finding.event(&declared.event).at(&declared.location));
            None
        })
    });
    (read.collect(), findings)
}

fn draft(
    shelves: &Shelves,
    declared: &Declaration,
    mut contract: Contract,
) -> Result<&'static str, LocksError> {
    let file = shelves.lock_file(declared);
    let before = fs::read(&file).ok();
    contract.draft(declared.written.clone());
    let text = contract.write();
    let what = match before {
        Some(before) if before == text.as_bytes() => return Ok("unchanged"),
        Some(_) => "updated",
        None => "created",
    };
    write::replace(&file, &text)?;
    Ok(what)
}

/// Events that would be locked in one file, here or on a system that knows no capitals.
fn of_one_file(shelves: &Shelves) -> Vec<Finding> {
    let mut files: BTreeMap<PathBuf, Vec<&Declaration>> = BTreeMap::new();
    for declared in shelves.declared() {
        let file = shelves.lock_file(declared);
        let folded = PathBuf::from(file.to_string_lossy().to_lowercase());
        files.entry(folded).or_default().push(declared);
    }
    let several = files.into_values().filter(|all| all.len() > 1);
    let finding = |all: Vec<&Declaration>| {
        let names: Vec<_> = all
            .iter()
            .map(|declared| format!("{} ({})", declared.event, declared.location))
            .collect();
        let message = format!(
            "{} would be locked in one file, {}",
            names.join(" and "),
            shelves.shown(&shelves.lock_file(all[0]))
        );
        let remedy =
            "give one of them another name on the wire, `name = \"…\"`, before its first release";
        Finding::of(Severity::Error, Fault::new("shared-lock", message, remedy))
            .event(&all[0].event)
            .at(&all[0].location)
    };
    several.map(finding).collect()
}

fn summary(outcome: &Outcome) -> String {
    let of = |what| {
        let changes = outcome.changes.iter().filter(|change| change.what == what);
        format!("{} {what}", changes.count())
    };
    let done = ["created", "updated", "unchanged"].map(of).join(", ");
    if outcome.findings.is_empty() {
        return done;
    }
    format!("{done}; {}", counted(&outcome.findings))
}
