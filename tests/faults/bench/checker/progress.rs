//! I4: nothing is committed that is not done, neither by the watermark nor by the map above it.

use std::collections::{BTreeMap, BTreeSet};

use events_runtime::offset_map::OffsetMap;
use faults::What;

use super::{Allowed, Evidence, HANDLERS, Ledger, Violation};

/// What every record of a partition waits for: the line at which it and all below it were done.
type Prefix = Vec<(i64, usize)>;

pub(super) fn check(evidence: &Evidence, ledger: &Ledger, allowed: &Allowed) -> Vec<Violation> {
    let mut all = Vec::new();
    let prefixes = prefixes(ledger, allowed);
    let hashes = HANDLERS.map(|handler| {
        let hash = events_kafka::stable_hash(&format!("{}/{handler}", evidence.group));
        (handler, hash)
    });
    // What an operator set says nothing about what was done.
    let mut by_hand = BTreeSet::new();
    // The lines that say what the broker held last, and at the highest.
    let mut last: BTreeMap<i32, usize> = BTreeMap::new();
    let mut highest: BTreeMap<i32, usize> = BTreeMap::new();
    for (index, line) in evidence.lines.iter().enumerate() {
        if line.what == What::ByHand {
            by_hand.insert((line.partition, line.offset));
            highest.remove(&line.partition);
            last.remove(&line.partition);
        }
        // A client sends a commit again that nobody answered in time, and it may come behind a later one: what counts
        // is what the next owner finds.
        if line.what == What::Assigned
            && !allowed.faults_lose
            && let (Some(last), Some(high)) =
                (last.get(&line.partition), highest.get(&line.partition))
            && evidence.lines[*last].offset < evidence.lines[*high].offset
        {
            let text = format!("the watermark of partition {} went back", line.partition);
            let lines = [*high, *last, index].map(|index| &evidence.lines[index]);
            all.push(Violation::new("I4", text).with(lines));
        }
        if !matches!(line.what, What::Commit | What::Committed)
            || by_hand.contains(&(line.partition, line.offset))
        {
            continue;
        }
        let prefix = prefixes.get(&line.partition).map_or(&[][..], Vec::as_slice);
        let below = prefix.partition_point(|(offset, _)| *offset < line.offset);
        if let Some((offset, done)) = below.checked_sub(1).map(|last| prefix[last])
            && done > index
        {
            let open = prefix.iter().find(|(_, done)| *done > index);
            let open = open.map_or(offset, |(offset, _)| *offset);
            let text = format!(
                "partition {} was committed up to {} when {open} was not done",
                line.partition, line.offset
            );
            let lines = evidence.lines.iter().filter(|other| {
                (other.partition, other.offset) == (line.partition, open)
                    && !matches!(other.what, What::Commit | What::Committed | What::Memory)
            });
            all.push(Violation::new("I4", text).with([line]).with(lines));
        }
        if line.what != What::Committed {
            continue;
        }
        last.insert(line.partition, index);
        let high = highest.entry(line.partition).or_insert(index);
        if evidence.lines[*high].offset <= line.offset {
            *high = index;
        }
        let Some(map) = OffsetMap::try_decode(line.offset, &line.note) else {
            let text = "the committed metadata is no offset map";
            all.push(Violation::new("I4", text).with([line]));
            continue;
        };
        let above =
            (line.partition, line.offset)..(line.partition, map.end().unwrap_or(line.offset));
        for (place, known) in ledger.tasks.range(above) {
            for (handler, hash) in hashes {
                let done = ledger.settled_at(handler, *place, known);
                if map.is_done(hash, place.1) && done.is_none_or(|done| done > index) {
                    let text = format!(
                        "the map of partition {} said that `{handler}` had done {}, and it had not",
                        place.0, place.1
                    );
                    all.push(Violation::new("I4", text).with([line]));
                }
            }
        }
    }
    all
}

fn prefixes(ledger: &Ledger, allowed: &Allowed) -> BTreeMap<i32, Prefix> {
    let mut prefixes: BTreeMap<i32, Prefix> = BTreeMap::new();
    for (place, known) in &ledger.tasks {
        let (partition, offset) = *place;
        if allowed
            .gone
            .get(&partition)
            .is_some_and(|low| offset < *low)
        {
            continue;
        }
        let done = HANDLERS.map(|handler| {
            let done = ledger.settled_at(handler, *place, known);
            done.unwrap_or(usize::MAX)
        });
        let done = done.into_iter().max().unwrap_or(0);
        let prefix = prefixes.entry(partition).or_default();
        let below = prefix.last().map_or(0, |(_, below)| *below);
        prefix.push((offset, done.max(below)));
    }
    prefixes
}
