//! How the records of a handler are laid over its slots.

use std::collections::VecDeque;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// As long as attempts are ready at once, one slot is as good as many, and better: records are handled in the order in which
/// they came, and what a slot needs stays in the cache. So the first slot *gathers* the records of all keys, until one of its
/// attempts is not ready at once. Then it hands over what it has, and records are *spread* over all slots, until all are empty
/// again.
///
/// While records are spread, a key stays in its slot as long as one of its records is there. Else its next record goes to a
/// slot that is free to begin it, and without one it waits in the lane for the first slot that is: no slot idles while a
/// record could begin, whatever the keys are, and a record waits behind another key for want of slots alone. Were records
/// laid into slots that are busy, keys that come again and again would stay there, two in one slot while others idle.
///
/// A key's records stay in order: when they are handed over none of them has begun, but for those that the first slot keeps;
/// one that follows a waiting record of its key waits behind it; and when records are gathered again nothing of any key is
/// in another slot, or waits.
#[derive(Debug, Default)]
pub(super) struct Lineup {
    spread: bool,
    /// While records are spread: slots that are not empty.
    occupied: u32,
    /// While records are spread: where the keys are that have any.
    keys: HashMap<u64, Key>,
    loads: Vec<Load>,
    /// While records are spread: slots that may begin a record, those without any at the back.
    free: VecDeque<u32>,
    /// Records that wait for a slot.
    waiting: usize,
}

/// The records of one key.
#[derive(Debug, Clone, Copy, Default)]
struct Key {
    slot: u32,
    /// Those in that slot.
    records: u32,
    /// Those that wait for a slot.
    waiting: u32,
}

/// What is in a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    records: u32,
    /// An attempt is under way.
    busy: bool,
    /// It is among the free slots.
    listed: bool,
}

impl Lineup {
    pub(super) fn is_spread(&self) -> bool {
        self.spread
    }

    /// The slot of a key's next record; none if the record waits for one.
    pub(super) fn place(&mut self, key: u64) -> Option<u32> {
        if !self.spread {
            return Some(0);
        }
        let entry = self.keys.entry(key);
        let known = match &entry {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) => Key::default(),
        };
        let slot = match known {
            Key { waiting, .. } if waiting > 0 => None,
            Key { slot, records, .. } if records > 0 => Some(slot),
            _ => take_free(&mut self.free, &mut self.loads),
        };
        let key = entry.or_default();
        match slot {
            Some(slot) => {
                key.slot = slot;
                key.records += 1;
                self.loads[slot as usize].records += 1;
            }
            None => {
                key.waiting += 1;
                self.waiting += 1;
            }
        }
        slot
    }

    /// The slot of the record that has waited longest; none if it has to wait on.
    pub(super) fn next(&mut self, key: u64) -> Option<u32> {
        let key = self.keys.get_mut(&key)?;
        let slot = match *key {
            Key { slot, records, .. } if records > 0 => slot,
            _ => take_free(&mut self.free, &mut self.loads)?,
        };
        key.slot = slot;
        key.waiting -= 1;
        key.records += 1;
        self.waiting -= 1;
        self.loads[slot as usize].records += 1;
        Some(slot)
    }

    /// A record of that key has left its slot.
    pub(super) fn finished(&mut self, key: u64) {
        // What was gathered is not counted.
        let Entry::Occupied(mut entry) = self.keys.entry(key) else {
            return;
        };
        let key = entry.get_mut();
        let load = &mut self.loads[key.slot as usize];
        load.records = load.records.saturating_sub(1);
        key.records = key.records.saturating_sub(1);
        if key.records == 0 && key.waiting == 0 {
            entry.remove();
        }
    }

    /// A slot was polled: it may begin another record unless an attempt is under way.
    pub(super) fn polled(&mut self, slot: u32, busy: bool) {
        if !self.spread {
            return;
        }
        let load = &mut self.loads[slot as usize];
        load.busy = busy;
        if busy || load.listed {
            return;
        }
        load.listed = true;
        // What it has is held: other slots come first.
        match load.records {
            0 => self.free.push_back(slot),
            _ => self.free.push_front(slot),
        }
    }

    /// The first of so many slots hands over what it has, but for the records of these keys.
    pub(super) fn spread(&mut self, slots: u32, kept: impl Iterator<Item = u64>) {
        self.spread = true;
        self.occupied = 0;
        self.keys.clear();
        self.loads.clear();
        self.loads.resize(slots as usize, Load::default());
        for key in kept {
            self.keys.entry(key).or_default().records += 1;
            self.loads[0].records += 1;
        }
        self.free.clear();
        // An attempt is under way in the first. Slots that were used before come up again first.
        self.free.extend((1..slots).rev());
        self.loads[1..]
            .iter_mut()
            .for_each(|load| load.listed = true);
    }

    /// A slot has got something to do.
    pub(super) fn occupy(&mut self) {
        self.occupied += 1;
    }

    /// A slot is empty. Once all are, and nothing waits, the first gathers again.
    pub(super) fn vacate(&mut self) {
        self.occupied -= 1;
        self.spread = self.occupied > 0 || self.waiting > 0;
    }
}

/// A slot that may begin a record.
fn take_free(free: &mut VecDeque<u32>, loads: &mut [Load]) -> Option<u32> {
    while let Some(slot) = free.pop_back() {
        let load = &mut loads[slot as usize];
        load.listed = false;
        if !load.busy {
            return Some(slot);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 8;

    fn key(number: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes())
    }

    /// The first slot is busy with a record of key 0.
    fn spread(slots: u32) -> Lineup {
        let mut lineup = Lineup::default();
        lineup.spread(slots, [key(0)].into_iter());
        lineup.polled(0, true);
        lineup
    }

    #[test]
    fn keys_are_gathered_spread_and_gathered_again() {
        let (one, other) = (u64::MAX, 0);
        let mut lineup = Lineup::default();
        assert_eq!(lineup.place(one), Some(0));
        lineup.spread(SLOTS, [one].into_iter());
        assert_eq!(lineup.place(one), Some(0), "its first record is there");
        assert_ne!(lineup.place(other), Some(0));
        lineup.occupy();
        lineup.occupy();
        lineup.finished(one);
        lineup.finished(one);
        lineup.vacate();
        lineup.finished(other);
        lineup.vacate();
        assert_eq!(lineup.place(other), Some(0));
    }

    #[test]
    fn a_key_stays_in_its_slot_while_a_record_of_it_is_there() {
        let mut lineup = spread(SLOTS);
        let slot = lineup.place(key(1));
        lineup.polled(slot.unwrap(), true);
        for number in 2..20 {
            assert_ne!(lineup.place(key(number)), slot);
        }
        assert_eq!(lineup.place(key(1)), slot);
        lineup.finished(key(1));
        assert_eq!(lineup.place(key(1)), slot, "one of its records is left");
    }

    #[test]
    fn no_slot_idles_while_a_record_waits() {
        let mut lineup = spread(SLOTS);
        let mut slots: Vec<_> = (1..u64::from(SLOTS))
            .map(|number| lineup.place(key(number)).unwrap())
            .collect();
        slots.sort_unstable();
        assert_eq!(slots, (1..SLOTS).collect::<Vec<_>>());
        slots.iter().for_each(|slot| lineup.polled(*slot, true));

        assert_eq!(lineup.place(key(100)), None);
        assert_eq!(lineup.next(key(100)), None);
        lineup.finished(key(3));
        lineup.polled(3, false);
        let freed = lineup.next(key(100));
        assert!(freed.is_some());
        assert_eq!(lineup.place(key(101)), None, "it is taken");
    }

    #[test]
    fn a_record_waits_behind_those_of_its_key_that_wait() {
        let mut lineup = spread(2);
        lineup.place(key(1)).unwrap();
        lineup.polled(1, true);
        assert_eq!(lineup.place(key(2)), None);
        lineup.finished(key(1));
        lineup.polled(1, false);
        assert_eq!(
            lineup.place(key(2)),
            None,
            "the free slot is for the record before it"
        );
        let slot = lineup.next(key(2));
        assert_eq!(slot, Some(1));
        lineup.polled(1, true);
        assert_eq!(lineup.next(key(2)), slot, "behind the one before it");
    }

    #[test]
    fn records_wait_on_when_the_last_slot_is_empty() {
        let mut lineup = spread(1);
        lineup.occupy();
        assert_eq!(lineup.place(key(1)), None);
        lineup.finished(key(0));
        lineup.polled(0, false);
        lineup.vacate();
        assert!(lineup.is_spread());
        assert_eq!(lineup.next(key(1)), Some(0));
    }

    #[test]
    fn a_slot_that_holds_keys_takes_others_when_no_other_slot_is_free() {
        let mut lineup = spread(3);
        let held = lineup.place(key(1)).unwrap();
        lineup.polled(held, false);
        let other = lineup.place(key(2)).unwrap();
        assert_ne!(other, held);
        lineup.polled(other, true);
        assert_eq!(lineup.place(key(3)), Some(held));
    }
}
