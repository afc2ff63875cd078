//! `contracts release`: drafts bind from now on.

use events_core::company::{Finding, Severity};
use events_core::contract::{Contract, Declaration, review};

use crate::error::LocksError;
use crate::outcome::{Change, Outcome, counted};
use crate::shelves::Shelves;
use crate::{lock, write};

pub(crate) fn release(shelves: &Shelves, names: &[String]) -> Result<Outcome, LocksError> {
    let known = || {
        let names = shelves
            .declared()
            .iter()
            .map(|declared| declared.event.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    for name in names {
        if !shelves
            .declared()
            .iter()
            .any(|declared| declared.event == *name)
        {
            return Err(LocksError::UnknownEvent {
                name: name.clone(),
                known: known(),
            });
        }
    }
    let (contracts, unreadable) = lock::read(shelves);
    let chosen = |name: &str| names.is_empty() || names.iter().any(|of| of == name);
    let unreadable = unreadable
        .into_iter()
        .filter(|finding| finding.event.as_deref().is_some_and(chosen));
    let mut findings: Vec<_> = unreadable.collect();
    let mut ready: Vec<(&Declaration, Contract)> = Vec::new();
    for (declared, contract) in shelves.declared().iter().zip(contracts) {
        if !chosen(&declared.event) || findings.iter().any(|found| of(found, declared)) {
            continue;
        }
        let contract = contract.unwrap_or_else(|| Contract::new(&declared.event));
        findings.extend(refusals(declared, &contract));
        ready.push((declared, contract));
    }
    if !findings.is_empty() {
        // All or none: a release that went half way is hard to see.
        let summary = format!("nothing is released: {}", counted(&findings));
        return Ok(Outcome {
            findings,
            summary,
            ..Outcome::default()
        });
    }
    let mut outcome = Outcome::default();
    for (declared, mut contract) in ready {
        let file = shelves.lock_file(declared);
        let what = if contract.release() {
            write::replace(&file, &contract.write())?;
            "released"
        } else {
            "unchanged"
        };
        outcome.changes.push(Change {
            event: declared.event.clone(),
            file: shelves.shown(&file),
            version: declared.written.version,
            what,
        });
    }
    let released = outcome
        .changes
        .iter()
        .filter(|change| change.what == "released");
    outcome.summary = format!(
        "{} released, of {} events; commit the locks",
        released.count(),
        outcome.changes.len()
    );
    Ok(outcome)
}

/// What was never locked, or is not what the lock says, has been seen by nobody.
fn refusals(declared: &Declaration, contract: &Contract) -> Vec<Finding> {
    let mut findings = review(declared, contract);
    findings.retain(|finding| finding.severity != Severity::Note);
    for finding in &mut findings {
        finding.severity = Severity::Error;
    }
    findings
}

fn of(finding: &Finding, declared: &Declaration) -> bool {
    finding.event.as_deref() == Some(&declared.event)
}
