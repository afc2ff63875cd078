//! I2: an effect once. What is done again needs an excuse, and is counted.

use std::collections::BTreeMap;

use events_kafka::dead_letter_header as dl;
use events_runtime::offset_map::OffsetMap;
use faults::{Line, What};

use super::{Allowed, Counts, EMITTING, Evidence, Violation};

/// A time in which a process was lost: what it did shortly before may be done again.
struct Lost<'a> {
    who: Option<&'a str>,
    partition: Option<i32>,
    from: u64,
    /// What it does itself up to here, it may do beside its successor.
    to: u64,
    /// Of a fault that loses everybody, when it was over.
    healed: Option<u64>,
}

impl Lost<'_> {
    /// Whether it is about what `line` is about.
    fn concerns(&self, line: &Line) -> bool {
        self.who.is_none_or(|who| who == line.who)
            && self
                .partition
                .is_none_or(|partition| partition == line.partition)
    }
}

/// A member that finds out that it was lost stops, but not at once.
const GRACE: u64 = 15_000_000;

/// What the history says of times, for looking up.
struct Book<'a> {
    lost: Vec<Lost<'a>>,
    /// When what a process emitted for a record was acknowledged.
    acks: BTreeMap<(&'a str, i32, i64), Vec<u64>>,
    /// When a process sent a commit of a partition.
    sent: BTreeMap<(&'a str, i32), Vec<u64>>,
    /// When a partition was assigned.
    assigned: BTreeMap<(&'a str, i32, u32), u64>,
    /// What the broker held from when on.
    held: BTreeMap<i32, Vec<(u64, i64, OffsetMap)>>,
}

impl<'a> Book<'a> {
    fn of(lines: &'a [Line], allowed: &Allowed) -> Self {
        let mut book = Self {
            lost: lost(lines, allowed),
            acks: BTreeMap::new(),
            sent: BTreeMap::new(),
            assigned: BTreeMap::new(),
            held: BTreeMap::new(),
        };
        for line in lines {
            let (who, partition) = (line.who.as_str(), line.partition);
            match line.what {
                What::Acked => {
                    let place = (who, partition, line.offset);
                    book.acks.entry(place).or_default().push(line.at);
                }
                What::Commit => book.sent.entry((who, partition)).or_default().push(line.at),
                What::Assigned => {
                    let epoch = u32::try_from(line.offset).unwrap_or(0);
                    book.assigned.insert((who, partition, epoch), line.at);
                }
                What::Committed => {
                    let map = OffsetMap::decode(line.offset, &line.note);
                    let held = book.held.entry(partition).or_default();
                    held.push((line.at, line.offset, map));
                }
                _ => {}
            }
        }
        book
    }

    /// When an effect was done: once what it emitted was acknowledged. Before that, a lost process leaves it to be
    /// done again.
    fn done(&self, effect: &Line, again: &Line) -> Option<u64> {
        if effect.handler != EMITTING {
            return Some(effect.at);
        }
        let place = (effect.who.as_str(), effect.partition, effect.offset);
        let mut acks = self.acks.get(&place)?.iter().copied();
        acks.find(|at| (effect.at..again.at).contains(at))
    }

    /// Whether the broker held that the record was done when the attempt's partition was assigned.
    fn was_known(&self, again: &Line, hash: u32) -> bool {
        let assignment = (again.who.as_str(), again.partition, again.epoch);
        let (Some(assigned), Some(held)) = (
            self.assigned.get(&assignment),
            self.held.get(&again.partition),
        ) else {
            return false;
        };
        let before = held.partition_point(|(at, ..)| at < assigned);
        before.checked_sub(1).is_some_and(|last| {
            let (_, watermark, map) = &held[last];
            again.offset < *watermark || map.is_done(hash, again.offset)
        })
    }

    /// The loss of a process that excuses that an effect is done again; of several that of one process, which excuses less.
    fn excuse(&self, before: &Line, again: &Line, window: u64) -> Option<&Lost<'a>> {
        let done = self.done(before, again);
        // It did its part by sending the commit in time: that nobody answered is not its fault.
        let sent = done.is_some_and(|done| {
            let sent = self.sent.get(&(before.who.as_str(), before.partition));
            let in_time = |at: &u64| (done..=done + window).contains(at);
            sent.is_some_and(|sent| sent.iter().any(in_time))
        });
        let excusing = self.lost.iter().filter(|lost| {
            let by = |line: &Line| lost.concerns(line);
            let shortly = done.is_none_or(|done| done + window >= lost.from);
            let in_time = done.is_none_or(|done| done <= lost.to);
            let by_successor = by(before) && in_time && (shortly || sent) && again.at >= lost.from;
            // The other way round: its successor had done it, and the lost one did not know.
            let by_itself = by(again) && (lost.from..=lost.to).contains(&again.at);
            by_successor || by_itself
        });
        excusing.min_by_key(|lost| lost.healed)
    }
}

pub(super) fn check(evidence: &Evidence, allowed: &Allowed, counts: &mut Counts) -> Vec<Violation> {
    let book = Book::of(&evidence.lines, allowed);
    let mut effects: BTreeMap<(&str, &str), Vec<&Line>> = BTreeMap::new();
    for line in evidence
        .lines
        .iter()
        .filter(|line| line.what == What::Effect)
    {
        let of = (line.handler.as_str(), line.id.as_str());
        effects.entry(of).or_default().push(line);
    }
    let mut all = Vec::new();
    // When each effect was new, and what only a fault excuses, by its end.
    let (mut firsts, mut around) = (Vec::new(), BTreeMap::<u64, Vec<&Line>>::new());
    for ((handler, id), lines) in effects {
        counts.repeats += lines.len() - 1;
        let hash = events_kafka::stable_hash(&format!("{}/{handler}", evidence.group));
        // Two members gave it up, each with a letter of its own, and each letter was redriven.
        let letters = evidence.letters.iter().filter(|letter| {
            letter.header(dl::OFFSET) == lines[0].offset.to_string()
                && letter.header(dl::PARTITION) == lines[0].partition.to_string()
                && letter.header(dl::HANDLER).ends_with(handler)
        });
        if allowed.redriven.contains(&lines[0].key) && letters.count() >= lines.len() {
            continue;
        }
        firsts.push(lines[0].at);
        for pair in lines.windows(2) {
            match judge(pair[0], pair[1], &book, hash, allowed) {
                Ok(None) => {}
                Ok(Some(healed)) => around.entry(healed).or_default().push(pair[1]),
                Err(text) => {
                    let text = format!("`{handler}` did {id} again: {text}");
                    all.push(Violation::new("I2", text).with(lines.iter().copied()));
                    break;
                }
            }
        }
    }
    all.extend(bounded(&book, &around, &mut firsts, allowed));
    all
}

/// A fault that loses everybody excuses no more repeats than there was work in its time: the rate of the load, so long.
fn bounded(
    book: &Book<'_>,
    around: &BTreeMap<u64, Vec<&Line>>,
    firsts: &mut [u64],
    allowed: &Allowed,
) -> Vec<Violation> {
    firsts.sort_unstable();
    let window = allowed.window.as_micros() as u64;
    let faults = book
        .lost
        .iter()
        .filter_map(|lost| Some((lost, lost.healed?)));
    let too_many = faults.filter_map(|(lost, healed)| {
        let repeats = around.get(&healed)?;
        let below = |at: u64| firsts.partition_point(|first| *first < at);
        let work = below(healed + window) - below(lost.from.saturating_sub(window));
        let text = format!(
            "{} repeats around a fault in whose time {work} effects were new",
            repeats.len()
        );
        let found = Violation::new("I2", text).with(repeats.iter().copied());
        (repeats.len() > work).then_some(found)
    });
    too_many.collect()
}

/// Whether an effect may be done again. Where only a fault that loses everybody excuses it, when that was over; an error says
/// that nothing does.
fn judge(
    before: &Line,
    again: &Line,
    book: &Book<'_>,
    hash: u32,
    allowed: &Allowed,
) -> Result<Option<u64>, String> {
    if before.offset != again.offset {
        let same_assignment = before.who == again.who && before.epoch == again.epoch;
        return match allowed.late_duplicates || !same_assignment {
            true => Ok(None),
            false => Err("a duplicate within one assignment".to_owned()),
        };
    }
    // A parked record is done for the group long before it is done.
    if !allowed.parked.contains(&again.key) && book.was_known(again, hash) {
        return Err("the broker held that it was done".to_owned());
    }
    let window = allowed.window.as_micros() as u64;
    let excuse = book.excuse(before, again, window).ok_or_else(|| {
        format!(
            "{} had done it, and was not lost within {:?} of that",
            before.who, allowed.window
        )
    })?;
    Ok(excuse.healed)
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
                // A blocking attempt cannot be dropped, and ends later.
                to: line.at + GRACE,
                healed: None,
            }),
            What::Killed => all.push(Lost {
                who: Some(&line.who),
                partition: None,
                from: line.at,
                to: line.at,
                healed: None,
            }),
            What::Stopped => {
                stopped.insert(&line.who, line.at);
            }
            What::Continued => all.extend(stopped.remove(line.who.as_str()).map(|from| Lost {
                who: Some(&line.who),
                partition: None,
                from,
                to: line.at + GRACE,
                healed: None,
            })),
            What::Fault => fault = Some(line.at),
            What::Healed if allowed.faults_lose => {
                all.extend(fault.take().map(|from| Lost {
                    who: None,
                    partition: None,
                    from,
                    to: line.at + GRACE,
                    healed: Some(line.at),
                }));
            }
            _ => {}
        }
    }
    all
}
