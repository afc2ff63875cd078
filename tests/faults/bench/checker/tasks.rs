//! The tasks by where they stand, and when each was done.

use std::collections::{BTreeMap, BTreeSet};

use events_kafka::dead_letter_header as dl;
use events_kafka::header;
use events_runtime::parked_header as pk;
use faults::{Line, TASKS, What};

use super::{EMITTING, Evidence, HANDLERS};
use crate::parked_log::ParkedLog;

/// A record of the topic of tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) key: String,
    /// Counts all tasks, so it grows along each key.
    pub(crate) number: u64,
    /// What is wrong with it, if anything; `duplicate` for a second copy.
    pub(crate) kind: String,
}

impl Known {
    /// Whether a handler is to run for it.
    pub(crate) fn is_good(&self) -> bool {
        self.kind.is_empty()
    }

    /// Whether no handler can read it.
    pub(crate) fn is_undecodable(&self) -> bool {
        self.kind == "undecodable" || self.kind == "future"
    }
}

/// Partition and offset.
pub(crate) type Place = (i32, i64);

/// What is known of every task.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) tasks: BTreeMap<Place, Known>,
    pub(crate) places: BTreeMap<String, Place>,
    /// Dead letters: handler and place of the record.
    pub(crate) letters: BTreeSet<(String, Place)>,
    /// Copies in the parked log that count: handler and place of the record.
    pub(crate) parked: BTreeSet<(String, Place)>,
    /// The first line from which on a copy of the record may have counted, for those that a process was about to append.
    parked_at: BTreeMap<Place, usize>,
    /// The first line that says so.
    pub(crate) ended: BTreeMap<(&'static str, Place), usize>,
    pub(crate) acked: BTreeMap<Place, usize>,
    /// All lines of a kind at a place.
    acks: BTreeMap<Place, Vec<usize>>,
}

impl Ledger {
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let mut ledger = Self::default();
        let mut ids = BTreeSet::new();
        for found in &evidence.tasks {
            let id = found.header(header::ID).to_owned();
            let mut known = Known {
                number: number(&id),
                key: found.key.clone(),
                kind: String::new(),
                id,
            };
            if found.header(header::TYPE) != "FaultTask" {
                known.kind = "stranger".into();
            } else if found.header(header::EVENT_VERSION) == "99" {
                known.kind = "future".into();
            } else if !found.value.ends_with('}') {
                known.kind = "undecodable".into();
            } else if !ids.insert(known.id.clone()) {
                known.kind = "duplicate".into();
            }
            let place = (found.partition, found.offset);
            ledger.places.entry(known.id.clone()).or_insert(place);
            ledger.tasks.insert(place, known);
        }
        for letter in &evidence.letters {
            if letter.header(dl::TOPIC) != TASKS || letter.header(dl::KIND) != "record" {
                continue;
            }
            let handler = letter
                .header(dl::HANDLER)
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let part = |name| letter.header(name).parse::<i64>().unwrap_or(-1);
            let place = (part(dl::PARTITION) as i32, part(dl::OFFSET));
            ledger.letters.insert((handler.to_owned(), place));
        }
        for fact in ParkedLog::of(&evidence.parked).parked {
            if fact.header(pk::TOPIC) != TASKS {
                continue;
            }
            let handler = fact
                .header(pk::HANDLER)
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let part = |name| fact.header(name).parse::<i64>().unwrap_or(-1);
            let place = (part(pk::PARTITION) as i32, part(pk::OFFSET));
            ledger.parked.insert((handler.to_owned(), place));
        }
        for (index, line) in evidence.lines.iter().enumerate() {
            let place = (line.partition, line.offset);
            match line.what {
                What::End => {
                    if let Some(handler) = handler(line) {
                        ledger.ended.entry((handler, place)).or_insert(index);
                    }
                }
                What::Acked => {
                    ledger.acked.entry(place).or_insert(index);
                    ledger.acks.entry(place).or_default().push(index);
                }
                _ => {}
            }
        }
        ledger.parked_at = parked_at(&evidence.lines);
        ledger
    }

    pub(crate) fn is_given_up(&self, handler: &str, place: Place) -> bool {
        self.letters.contains(&(handler.to_owned(), place))
    }

    /// The same where records may be parked: what stands in the parked log is done for the group, once its process has
    /// seen the acknowledgement or, where it did not live to see it, once another reads the log.
    pub(crate) fn settled_at(
        &self,
        handler: &'static str,
        place: Place,
        known: &Known,
    ) -> Option<usize> {
        let parked = self.parked.contains(&(handler.to_owned(), place));
        let parked_at = self.parked_at.get(&place).copied();
        parked
            .then_some(parked_at)
            .flatten()
            .or_else(|| self.done_at(handler, place, known))
    }

    /// The line from which on a handler has done a record; none if it never did.
    pub(crate) fn done_at(
        &self,
        handler: &'static str,
        place: Place,
        known: &Known,
    ) -> Option<usize> {
        if known.kind == "stranger" || known.kind == "duplicate" {
            // Nobody wants it, or the watermark cannot pass its first bearer.
            return Some(0);
        }
        let given_up = self.is_given_up(handler, place);
        let ended = self.ended.get(&(handler, place)).copied();
        if known.is_undecodable() || (given_up && ended.is_none()) {
            return given_up.then(|| self.acked.get(&place).copied()).flatten();
        }
        let ended = ended?;
        if handler != EMITTING {
            return Some(ended);
        }
        let acks = self.acks.get(&place)?;
        acks.iter().copied().find(|ack| *ack > ended)
    }
}

/// For each record the line before which no copy of it in the parked log can be known to anybody: its acknowledgement to
/// whoever appended it, or, for whoever reads it there, the next assignment of the partition.
fn parked_at(lines: &[Line]) -> BTreeMap<Place, usize> {
    let mut assigned: BTreeMap<i32, Vec<(usize, &str)>> = BTreeMap::new();
    let mut parking: BTreeMap<(&str, Place), usize> = BTreeMap::new();
    let mut known: BTreeMap<Place, usize> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let (who, place) = (line.who.as_str(), (line.partition, line.offset));
        match line.what {
            What::Assigned => assigned
                .entry(line.partition)
                .or_default()
                .push((index, who)),
            What::Parking => {
                parking.entry((who, place)).or_insert(index);
            }
            What::Acked if parking.contains_key(&(who, place)) => {
                known.entry(place).or_insert(index);
            }
            _ => {}
        }
    }
    for ((who, place), begun) in parking {
        let of = assigned.get(&place.0).map_or(&[][..], Vec::as_slice);
        let own = of.iter().rposition(|(at, of)| *at < begun && *of == who);
        // A zombie's comes behind its successor's assignment.
        let next = of.get(own.map_or(0, |own| own + 1));
        if let Some((next, _)) = next {
            let read = begun.max(*next);
            let known = known.entry(place).or_insert(read);
            *known = read.min(*known);
        }
    }
    known
}

/// The handler of a line.
pub(crate) fn handler(line: &Line) -> Option<&'static str> {
    HANDLERS.into_iter().find(|known| *known == line.handler)
}

/// The number of a task by its id.
pub(crate) fn number(id: &str) -> u64 {
    id.trim_start_matches('t').parse().unwrap_or(0)
}
