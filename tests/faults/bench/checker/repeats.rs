//! I2: an effect once. What is done again needs an excuse, and is counted.

use std::collections::BTreeMap;

use faults::{Line, What};

use super::{Allowed, Counts, EMITTING, Evidence, Ledger, Violation};

/// A time in which a process was lost: what it did shortly before may be done again.
struct Lost<'a> {
    who: Option<&'a str>,
    partition: Option<i32>,
    from: u64,
    /// What it does itself up to here, it may do beside its successor.
    to: u64,
}

/// A member that finds out that it was lost stops, but not at once.
const GRACE: u64 = 15_000_000;

pub(super) fn check(
    evidence: &Evidence,
    _ledger: &Ledger,
    allowed: &Allowed,
    counts: &mut Counts,
) -> Vec<Violation> {
    let lost = lost(&evidence.lines, allowed);
    let mut acks: BTreeMap<(&str, i32, i64), Vec<u64>> = BTreeMap::new();
    let mut effects: BTreeMap<(&str, &str), Vec<&Line>> = BTreeMap::new();
    for line in &evidence.lines {
        match line.what {
            What::Acked => {
                let place = (line.who.as_str(), line.partition, line.offset);
                acks.entry(place).or_default().push(line.at);
            }
            What::Effect => {
                let of = (line.handler.as_str(), line.id.as_str());
                effects.entry(of).or_default().push(line);
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for ((handler, id), lines) in effects {
        counts.repeats += lines.len() - 1;
        for pair in lines.windows(2) {
            let [before, again] = pair else { continue };
            if let Some(text) = unexcused(before, again, &lost, &acks, allowed) {
                let text = format!("`{handler}` did {id} again: {text}");
                all.push(Violation::new("I2", text).with(lines.iter().copied()));
                break;
            }
        }
    }
    all
}

fn unexcused(
    before: &Line,
    again: &Line,
    lost: &[Lost<'_>],
    acks: &BTreeMap<(&str, i32, i64), Vec<u64>>,
    allowed: &Allowed,
) -> Option<String> {
    let same_offset = before.offset == again.offset;
    let same_assignment = before.who == again.who && before.epoch == again.epoch;
    if !same_offset {
        let forgets = allowed.late_duplicates || !same_assignment;
        return (!forgets).then(|| "a duplicate within one assignment".to_owned());
    }
    // Done is what was acknowledged; before that, a lost process leaves it to be done again.
    let done = match before.handler == EMITTING {
        false => Some(before.at),
        true => {
            let all = acks.get(&(before.who.as_str(), before.partition, before.offset));
            all.and_then(|all| all.iter().copied().find(|at| *at > before.at))
        }
    };
    let window = allowed.window.as_micros() as u64;
    let excused = lost.iter().any(|lost| {
        let by = |line: &Line| {
            lost.who.is_none_or(|who| who == line.who)
                && lost
                    .partition
                    .is_none_or(|partition| partition == line.partition)
        };
        let shortly = done.is_none_or(|done| done + window >= lost.from && done <= lost.to);
        let by_successor = by(before) && shortly && again.at >= lost.from;
        // The other way round: its successor had done it, and the lost one did not know.
        let by_itself = by(again) && (lost.from..=lost.to).contains(&again.at);
        by_successor || by_itself
    });
    (!excused).then(|| {
        format!(
            "{} had done it, and was not lost within {:?} of that",
            before.who, allowed.window
        )
    })
}

fn lost<'a>(lines: &'a [Line], allowed: &Allowed) -> Vec<Lost<'a>> {
    let mut all = Vec::new();
    let mut stopped: BTreeMap<&str, u64> = BTreeMap::new();
    let mut fault = None;
    for line in lines {
        match line.what {
            // It had been given up some time before it found out.
            What::Lost => all.push(Lost {
                who: Some(&line.who),
                partition: Some(line.partition),
                from: line.at.saturating_sub(GRACE),
                to: line.at,
            }),
            What::Killed => all.push(Lost {
                who: Some(&line.who),
                partition: None,
                from: line.at,
                to: line.at,
            }),
            What::Stopped => {
                stopped.insert(&line.who, line.at);
            }
            What::Continued => all.extend(stopped.remove(line.who.as_str()).map(|from| Lost {
                who: Some(&line.who),
                partition: None,
                from,
                to: line.at + GRACE,
            })),
            What::Fault => fault = Some(line.at),
            What::Healed if allowed.faults_lose => {
                all.extend(fault.take().map(|from| Lost {
                    who: None,
                    partition: None,
                    from,
                    to: line.at + GRACE,
                }));
            }
            _ => {}
        }
    }
    all
}
