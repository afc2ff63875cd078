//! I5: what stands in the topic of reactions is what attempts emitted, under ids that stay the same.

use std::collections::BTreeMap;

use events_kafka::header;
use faults::What;

use super::tasks::number;
use super::{Allowed, Counts, EMITTING, Evidence, Ledger, Violation};
use crate::topics::Found;

pub(super) fn check(
    evidence: &Evidence,
    ledger: &Ledger,
    allowed: &Allowed,
    counts: &mut Counts,
) -> Vec<Violation> {
    let mut by_cause: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for found in &evidence.done {
        let cause = found.header(header::CAUSATION_ID);
        by_cause.entry(cause).or_default().push(found);
    }
    let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &evidence.lines {
        if line.what == What::End && line.handler == EMITTING {
            *ended.entry(&line.id).or_default() += 1;
        }
    }
    let mut all = Vec::new();
    for (cause, found) in &by_cause {
        let attempts = ended.get(cause).copied().unwrap_or(0);
        counts.copies += found.len() - 1;
        if attempts == 0 {
            let text = format!("{cause} has a reaction and no attempt that succeeded");
            all.push(Violation::new("I5", text));
        } else if found.len() > attempts {
            let text = format!(
                "{cause} has {} reactions after {attempts} attempts",
                found.len()
            );
            all.push(Violation::new("I5", text));
        }
        let id = found[0].header(header::ID);
        if found.iter().any(|other| other.header(header::ID) != id) {
            let text = format!("the reactions to {cause} have different ids");
            all.push(Violation::new("I5", text));
        }
    }
    for (id, place) in &ledger.places {
        let known = &ledger.tasks[place];
        if known.is_good() && ended.contains_key(id.as_str()) && !by_cause.contains_key(id.as_str())
        {
            let text = format!("{id} was done and its reaction is not in the topic");
            let lines = evidence.lines.iter().filter(|line| {
                (line.partition, line.offset) == *place
                    && !matches!(line.what, What::Commit | What::Committed | What::Memory)
            });
            all.push(Violation::new("I5", text).with(lines));
        }
    }
    all.extend(order(evidence, allowed));
    all
}

/// Reactions to one key stand in the order of its tasks; copies may come later.
fn order(evidence: &Evidence, allowed: &Allowed) -> Vec<Violation> {
    let mut highest: BTreeMap<&str, u64> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut all = Vec::new();
    for found in &evidence.done {
        let cause = found.header(header::CAUSATION_ID);
        // What was redriven was done when later ones of its key were.
        if !seen.insert(cause) || allowed.redriven.contains(&found.key) {
            continue;
        }
        let number = number(cause);
        let known = highest.entry(&found.key).or_default();
        if *known > number {
            let text = format!(
                "the first reaction to t{number} of key {} stands behind that to t{known}",
                found.key
            );
            all.push(Violation::new("I3", text));
        }
        *known = number.max(*known);
    }
    all
}
