//! I1: nothing is lost.

use std::collections::BTreeSet;

use faults::What;

use super::{Allowed, Evidence, HANDLERS, Ledger, Violation};

pub(super) fn check(evidence: &Evidence, ledger: &Ledger, allowed: &Allowed) -> Vec<Violation> {
    let mut all = Vec::new();
    for line in evidence
        .lines
        .iter()
        .filter(|line| line.what == What::Produced)
    {
        let place = (line.partition, line.offset);
        let is_gone = allowed.gone.get(&place.0).is_some_and(|low| place.1 < *low);
        if !ledger.tasks.contains_key(&place) && !is_gone {
            let text = format!("{} was acknowledged and is not in the topic", line.id);
            all.push(Violation::new("I1", text).with([line]));
        }
    }
    let ended: BTreeSet<_> = evidence
        .lines
        .iter()
        .filter(|line| line.what == What::End)
        .map(|line| (line.handler.as_str(), line.id.as_str()))
        .collect();
    for (place, known) in &ledger.tasks {
        if known.kind == "stranger" {
            continue;
        }
        for handler in HANDLERS {
            // A duplicate is done with its first bearer.
            let first = ledger.places.get(&known.id).unwrap_or(place);
            let done = ended.contains(&(handler, known.id.as_str()))
                || ledger.is_given_up(handler, *place)
                || ledger.is_given_up(handler, *first);
            if !done {
                let text = format!(
                    "{} of key {} at {}/{} was neither done by `{handler}` nor dead-lettered",
                    known.id, known.key, place.0, place.1
                );
                let lines = evidence.lines.iter().filter(|line| {
                    (line.partition, line.offset) == *place && line.what != What::Committed
                });
                all.push(Violation::new("I1", text).with(lines));
            }
        }
    }
    all
}
