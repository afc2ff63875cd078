//! I6: each dead letter has its record, and each record that must be given up has its letters.

use events_kafka::dead_letter_header as dl;
use faults::TASKS;

use super::{Allowed, Evidence, HANDLERS, Ledger, Violation};

/// On what says how a letter was settled.
const RESOLUTION: &str = "dl_fact";

pub(super) fn check(evidence: &Evidence, ledger: &Ledger, allowed: &Allowed) -> Vec<Violation> {
    let mut all = Vec::new();
    for letter in &evidence.letters {
        // A word about another letter.
        if !letter.header(RESOLUTION).is_empty() {
            continue;
        }
        let part = |name| letter.header(name).parse::<i64>().unwrap_or(-1);
        let place = (part(dl::PARTITION) as i32, part(dl::OFFSET));
        let handler = letter.header(dl::HANDLER);
        let at = format!("{}/{} of `{handler}`", place.0, place.1);
        let Some(known) = ledger
            .tasks
            .get(&place)
            .filter(|_| letter.header(dl::TOPIC) == TASKS)
        else {
            all.push(Violation::new(
                "I6",
                format!("the dead letter {at} has no record"),
            ));
            continue;
        };
        let expected = known.is_undecodable()
            || allowed.given_up.contains(&known.key)
            || allowed.redriven.contains(&known.key);
        if !expected {
            let text = format!(
                "{} at {at} was given up without a reason: {}",
                known.id,
                letter.header(dl::ERROR)
            );
            all.push(Violation::new("I6", text));
        }
        let record = evidence
            .tasks
            .iter()
            .find(|found| (found.partition, found.offset) == place);
        if record.is_some_and(|record| (&record.key, &record.value) != (&letter.key, &letter.value))
        {
            let text = format!("the dead letter {at} is not what its record was");
            all.push(Violation::new("I6", text));
        }
    }
    for (place, known) in &ledger.tasks {
        let gives_up =
            known.is_undecodable() || (known.is_good() && allowed.given_up.contains(&known.key));
        if !gives_up {
            continue;
        }
        for handler in HANDLERS {
            if !ledger.is_given_up(handler, *place) {
                let text = format!(
                    "{} at {}/{} has no dead letter of `{handler}`",
                    known.id, place.0, place.1
                );
                all.push(Violation::new("I6", text));
            }
        }
    }
    all
}
