//! How the records of a handler are laid over its slots.

/// As long as attempts are ready at once, one slot is as good as many, and better: records are handled in the order in which
/// they came, and what a slot needs stays in the cache. So the first slot *gathers* the records of all keys, until one of its
/// attempts is not ready at once. Then it hands over what it has, and records are *spread* over all slots, until all are empty
/// again.
///
/// While records are spread, a key stays in its slot as long as one of its records is there; else its next record goes to a
/// slot that has nothing to do. A key that were bound to a slot for good would wait there behind others while other slots
/// idle: of 600 keys in 64 slots, some slots have twice as many as others.
///
/// A key's records stay in order: when they are handed over none of them has begun, but for those that the first slot keeps;
/// and when they are gathered again nothing of any key is in another slot.
#[derive(Debug, Default)]
pub(super) struct Lineup {
    spread: bool,
    /// While records are spread: slots that are not empty.
    occupied: u32,
    /// While records are spread: where the keys of each bucket are. Keys of one bucket are treated as one.
    buckets: Vec<Bucket>,
    /// While records are spread: records in each slot.
    loads: Vec<u32>,
    /// While records are spread: slots without records.
    idle: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    slot: u32,
    /// Its records in that slot.
    records: u32,
}

/// So many for each slot, and no fewer or more altogether, that few keys share one.
const BUCKETS: u32 = 32;
const LEAST_BUCKETS: u32 = 1 << 10;
const MOST_BUCKETS: u32 = 1 << 16;

impl Lineup {
    pub(super) fn is_spread(&self) -> bool {
        self.spread
    }

    /// The slot of a key's next record, of so many.
    pub(super) fn place(&mut self, key: u64, slots: u32) -> u32 {
        if !self.spread {
            return 0;
        }
        self.size(slots);
        let bucket = self.bucket(key);
        let slot = match self.buckets[bucket] {
            Bucket { slot, records } if records > 0 => slot,
            _ => self.idlest(key, slots),
        };
        self.count(bucket, slot);
        slot
    }

    /// A record of that key has left its slot.
    pub(super) fn finished(&mut self, key: u64) {
        if !self.spread || self.buckets.is_empty() {
            return;
        }
        let bucket = self.bucket(key);
        let Bucket { slot, records } = &mut self.buckets[bucket];
        *records = records.saturating_sub(1);
        let load = &mut self.loads[*slot as usize];
        *load = load.saturating_sub(1);
        if *load == 0 {
            self.idle.push(*slot);
        }
    }

    /// The first of so many slots hands over what it has, but for the records of these keys.
    pub(super) fn spread(&mut self, slots: u32, kept: impl Iterator<Item = u64>) {
        self.spread = true;
        self.occupied = 0;
        self.buckets.clear();
        self.loads.clear();
        self.idle.clear();
        self.size(slots);
        for key in kept {
            let bucket = self.bucket(key);
            self.count(bucket, 0);
        }
    }

    fn size(&mut self, slots: u32) {
        if self.buckets.is_empty() {
            let buckets = slots.saturating_mul(BUCKETS);
            let buckets = buckets.clamp(LEAST_BUCKETS, MOST_BUCKETS);
            self.buckets.resize(buckets as usize, Bucket::default());
            self.loads.resize(slots as usize, 0);
            // The first is the last resort: what it keeps may take long. Slots that were used before come up again first.
            self.idle.extend((1..slots).rev());
        }
    }

    fn bucket(&self, key: u64) -> usize {
        // The high half of the product spreads the hash evenly over any number.
        ((u128::from(key) * self.buckets.len() as u128) >> 64) as usize
    }

    /// A slot without records; without one, the better of two that the key chooses.
    fn idlest(&mut self, key: u64, slots: u32) -> u32 {
        if let Some(slot) = self.idle.pop() {
            return slot;
        }
        // Other bits than those that choose the bucket.
        let (one, other) = (key as u32 % slots, (key >> 16) as u32 % slots);
        let load = |slot: u32| self.loads[slot as usize];
        if load(other) < load(one) { other } else { one }
    }

    fn count(&mut self, bucket: usize, slot: u32) {
        let bucket = &mut self.buckets[bucket];
        bucket.slot = slot;
        bucket.records += 1;
        self.loads[slot as usize] += 1;
    }

    /// A slot has got something to do.
    pub(super) fn occupy(&mut self) {
        self.occupied += 1;
    }

    /// A slot is empty. Once all are, the first gathers again.
    pub(super) fn vacate(&mut self) {
        self.occupied -= 1;
        self.spread = self.occupied > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 8;

    fn key(number: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes())
    }

    #[test]
    fn keys_are_gathered_spread_and_gathered_again() {
        let (one, other) = (u64::MAX, 0);
        let mut lineup = Lineup::default();
        assert_eq!(lineup.place(one, SLOTS), 0);
        lineup.spread(SLOTS, [one].into_iter());
        assert_eq!(lineup.place(one, SLOTS), 0, "its first record is there");
        assert_ne!(lineup.place(other, SLOTS), 0);
        lineup.occupy();
        lineup.occupy();
        lineup.finished(one);
        lineup.finished(one);
        lineup.vacate();
        lineup.finished(other);
        lineup.vacate();
        assert_eq!(lineup.place(other, SLOTS), 0);
    }

    #[test]
    fn a_key_stays_in_its_slot_while_a_record_of_it_is_there() {
        let mut lineup = Lineup::default();
        lineup.spread(SLOTS, [key(0)].into_iter());
        let slot = lineup.place(key(1), SLOTS);
        let others: Vec<_> = (2..20)
            .map(|number| lineup.place(key(number), SLOTS))
            .collect();
        assert_eq!(lineup.place(key(1), SLOTS), slot);
        lineup.finished(key(1));
        assert_eq!(
            lineup.place(key(1), SLOTS),
            slot,
            "one of its records is left"
        );
        assert!(others.iter().any(|other| *other != slot));
    }

    #[test]
    fn no_slot_idles_while_another_has_two_keys() {
        let mut lineup = Lineup::default();
        lineup.spread(SLOTS, [key(0)].into_iter());
        let mut slots: Vec<_> = (1..u64::from(SLOTS))
            .map(|number| lineup.place(key(number), SLOTS))
            .collect();
        slots.sort_unstable();
        assert_eq!(slots, (1..SLOTS).collect::<Vec<_>>());
        lineup.finished(key(3));
        let freed = lineup.place(key(100), SLOTS);
        lineup.finished(key(100));
        assert_eq!(lineup.place(key(101), SLOTS), freed);
    }

    #[test]
    fn loads_stay_even_where_keys_are_many() {
        let mut lineup = Lineup::default();
        lineup.spread(64, [key(0)].into_iter());
        for number in 1..4_000 {
            lineup.place(key(number), 64);
        }
        let (least, most) = (lineup.loads.iter().min(), lineup.loads.iter().max());
        assert!(
            most < least.map(|least| least * 2).as_ref(),
            "{least:?} {most:?}"
        );
    }
}
