//! I3: one key's records in log order, and one attempt at a time.

use std::collections::{BTreeMap, BTreeSet};

use faults::{Line, What};

use super::tasks::{Place, number};
use super::{Allowed, Counts, Evidence, Ledger, Violation};

/// A member that was given up finds out within so many microseconds.
const NOTICE: u64 = 15_000_000;

/// What is known of one key of one handler on the way through the history.
#[derive(Default)]
struct Lane<'a> {
    open: Vec<&'a Line>,
    /// The highest number that was begun, with the line.
    highest: Option<(u64, &'a Line)>,
    begun: BTreeSet<u64>,
    /// How often each number failed.
    failed: BTreeMap<u64, u32>,
    ended: BTreeSet<u64>,
}

pub(super) fn check(
    evidence: &Evidence,
    ledger: &Ledger,
    allowed: &Allowed,
    counts: &mut Counts,
) -> Vec<Violation> {
    let before = predecessors(ledger);
    let mut lanes: BTreeMap<(&str, &str), Lane<'_>> = BTreeMap::new();
    let mut fenced: BTreeSet<&str> = BTreeSet::new();
    // Until when a fault that loses every process does so.
    let mut cut_off: Option<u64> = None;
    let lost: Vec<&Line> = evidence
        .lines
        .iter()
        .filter(|line| line.what == What::Lost)
        .collect();
    counts.lost = lost.len();
    // Given up by the group, and it has not found out yet, or just now.
    let given_up = |line: &Line| {
        let mut of = lost
            .iter()
            .filter(|lost| (&lost.who, lost.partition) == (&line.who, line.partition));
        of.any(|lost| lost.at.abs_diff(line.at) < NOTICE)
    };
    let mut all = Vec::new();
    for line in &evidence.lines {
        match line.what {
            What::Killed => {
                for lane in lanes.values_mut() {
                    lane.open.retain(|open| open.who != line.who);
                }
            }
            What::Stopped => {
                fenced.insert(&line.who);
            }
            What::Fault if allowed.faults_lose => cut_off = Some(u64::MAX),
            What::Healed => cut_off = cut_off.map(|_| line.at + NOTICE),
            What::Begin => {
                let lane = lanes.entry((&line.handler, &line.key)).or_default();
                if let Some(open) = lane.open.last() {
                    let excused = given_up(open)
                        || given_up(line)
                        || allowed.overlaps
                            && (cut_off.is_some_and(|until| line.at <= until)
                                || fenced.contains(open.who.as_str())
                                || fenced.contains(line.who.as_str()));
                    counts.overlaps += 1;
                    if !excused {
                        let text =
                            format!("attempts of `{}` at key {} overlap", line.handler, line.key);
                        all.push(Violation::new("I3", text).with([*open, line]));
                    }
                }
                lane.open.push(line);
                all.extend(in_order(lane, line, &before, ledger, allowed.attempts));
            }
            What::End | What::Fail | What::Drop => {
                let lane = lanes.entry((&line.handler, &line.key)).or_default();
                let same = |open: &&Line| {
                    (&open.who, open.offset, open.attempt) == (&line.who, line.offset, line.attempt)
                };
                if let Some(place) = lane.open.iter().position(same) {
                    lane.open.remove(place);
                }
                match line.what {
                    What::End => {
                        lane.ended.insert(number(&line.id));
                    }
                    What::Fail => *lane.failed.entry(number(&line.id)).or_default() += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    all
}

/// First occurrences are in log order, and nothing begins before what stands in front of it is done.
fn in_order<'a>(
    lane: &mut Lane<'a>,
    line: &'a Line,
    before: &BTreeMap<u64, (u64, Place)>,
    ledger: &Ledger,
    attempts: u32,
) -> Option<Violation> {
    let number = number(&line.id);
    let first = lane.begun.insert(number);
    let highest = lane.highest;
    if highest.is_none_or(|(known, _)| known < number) {
        lane.highest = Some((number, line));
    }
    if !first {
        return None;
    }
    if let Some((known, other)) = highest.filter(|(known, _)| *known > number) {
        let text = format!(
            "`{}` began t{number} of key {} for the first time after t{known}",
            line.handler, line.key
        );
        return Some(Violation::new("I3", text).with([other, line]));
    }
    let (previous, place) = before.get(&number)?;
    let given_up = ledger.is_given_up(&line.handler, *place)
        && lane
            .failed
            .get(previous)
            .is_some_and(|failed| *failed >= attempts);
    let handled = lane.ended.contains(previous) || given_up;
    (!handled).then(|| {
        let text = format!(
            "`{}` began t{number} of key {} before t{previous} was done",
            line.handler, line.key
        );
        Violation::new("I3", text).with(highest.map(|(_, other)| other).into_iter().chain([line]))
    })
}

/// For each task the one in front of it in its key.
fn predecessors(ledger: &Ledger) -> BTreeMap<u64, (u64, Place)> {
    let mut last: BTreeMap<&str, (u64, Place)> = BTreeMap::new();
    let mut before = BTreeMap::new();
    for (place, known) in ledger.tasks.iter().filter(|(_, known)| known.is_good()) {
        let this = (known.number, *place);
        if let Some(previous) = last.insert(&known.key, this) {
            before.insert(known.number, previous);
        }
    }
    before
}
