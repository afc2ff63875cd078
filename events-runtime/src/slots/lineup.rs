//! How the records of a handler are laid over its slots.

use hashbrown::HashSet;

/// As long as attempts are ready at once, one slot is as good as many, and better: records are handled in the order in which
/// they came, and what a slot needs stays in the cache. So the first slot *gathers* the records of all keys, until one of its
/// attempts is not ready at once. Then it hands over what it has, and records are *spread* by their keys, until all slots
/// are empty again.
///
/// A key's records stay in order: when they are handed over none of them has begun, but for the keys that the first slot
/// keeps; and when they are gathered again nothing of any key is in another slot.
#[derive(Debug, Default)]
pub(super) struct Lineup {
    spread: bool,
    /// While records are spread: keys whose records the first slot has begun or holds.
    kept: HashSet<u64>,
    /// While records are spread: slots that are not empty.
    occupied: u32,
}

impl Lineup {
    pub(super) fn is_spread(&self) -> bool {
        self.spread
    }

    /// The slot of a key's next record, of so many.
    pub(super) fn place(&self, key: u64, slots: u32) -> u32 {
        if !self.spread || (!self.kept.is_empty() && self.kept.contains(&key)) {
            return 0;
        }
        // The high half of the product spreads the hash evenly over any number of slots.
        ((u128::from(key) * u128::from(slots)) >> 64) as u32
    }

    /// The first slot hands over what it has, but for these keys.
    pub(super) fn spread(&mut self, kept: impl Iterator<Item = u64>) {
        self.spread = true;
        self.kept.clear();
        self.kept.extend(kept);
        self.occupied = 0;
    }

    /// A slot has got something to do.
    pub(super) fn occupy(&mut self) {
        self.occupied += 1;
    }

    /// A slot is empty; `first` if it is the first one, which keeps no key then. Once all are, the first gathers again.
    pub(super) fn vacate(&mut self, first: bool) {
        self.occupied -= 1;
        if first {
            self.kept.clear();
        }
        self.spread = self.occupied > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_gathered_spread_and_gathered_again() {
        let (one, other) = (u64::MAX, u64::MAX - 1);
        let mut lineup = Lineup::default();
        assert_eq!(lineup.place(one, 8), 0);
        lineup.spread([one].into_iter());
        assert_eq!((lineup.place(one, 8), lineup.place(other, 8)), (0, 7));
        lineup.occupy();
        lineup.occupy();
        lineup.vacate(true);
        assert_eq!(
            lineup.place(one, 8),
            7,
            "nothing of it is in the first slot"
        );
        lineup.vacate(false);
        assert_eq!(lineup.place(other, 8), 0);
    }
}
