//! `contracts check`: what a change breaks, and what the locks hide or lack.

use std::collections::BTreeSet;

use events_core::Fault;
use events_core::company::{Finding, Severity};
use events_core::contract::{check_events, check_strangers, locks_in};

use crate::against;
use crate::error::LocksError;
use crate::outcome::{Outcome, counted};
use crate::shelves::{Linked, Shelves};

pub(crate) fn check(
    shelves: &Shelves,
    linked: &Linked,
    revision: Option<&str>,
    retired: &[String],
) -> Result<Outcome, LocksError> {
    let mut findings = Vec::new();
    let used = shelves.used();
    let shared = shelves.shared();
    for (package, directory) in shelves.packages() {
        let own: Vec<_> = shelves
            .declared()
            .iter()
            .filter(|declared| declared.package == *package)
            .cloned()
            .collect();
        findings.extend(check_events(directory, &own));
        let shelf = directory.join("contracts");
        if shared.contains(&shelf) {
            continue;
        }
        if !own.is_empty() || linked.all || linked.packages.contains(package) {
            findings.extend(check_strangers(&shelf, shelves.declared(), &used));
        } else if !locks_in(&shelf).is_empty() {
            findings.push(not_linked(package));
        }
    }
    for shelf in &shared {
        let mut strangers = check_strangers(shelf, shelves.declared(), &used);
        if !linked.all {
            strangers.iter_mut().for_each(soften);
        }
        findings.extend(strangers);
    }
    if let Some(revision) = revision {
        let seen: BTreeSet<_> = findings.iter().map(told).collect();
        let mut since = against::changes(shelves, linked, revision, retired)?;
        // What the lock of today says too is said once.
        since.retain(|finding| !seen.contains(&told(finding)));
        findings.extend(since);
    }
    let count = shelves.declared().len();
    let summary = format!("{count} events: {}", counted(&findings));
    Ok(Outcome {
        findings,
        summary,
        against: revision.map(str::to_owned),
        ..Outcome::default()
    })
}

fn told(finding: &Finding) -> (&'static str, String) {
    (finding.fault.code, finding.fault.message.clone())
}

/// A crate that is not linked may declare it.
fn soften(finding: &mut Finding) {
    if finding.fault.code == "deleted" {
        finding.severity = Severity::Warning;
    }
}

fn not_linked(package: &str) -> Finding {
    let message =
        format!("{package} has locks, and no event of it is linked here: they were not looked at");
    let remedy =
        format!("`cargo events contracts check --package {package}`, or its contracts_test!()");
    Finding::of(Severity::Note, Fault::new("not-linked", message, remedy))
}
