//! Hashes that stay within the process.
//!
//! They choose a record's slot and tell parked keys apart. Whoever chooses keys must not be able to choose their hashes:
//! different keys of one hash wait for each other. So the hashes are seeded at random when the process starts, and nothing
//! that is written down, or compared with another process, holds one.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The seed of debug builds. Two keys of a test that meet in a slot in one run of 64 would make it fail by chance.
const DEBUG_SEED: u64 = 0x005e_ed0f_7e57;

static SEED: LazyLock<u64> = LazyLock::new(|| match cfg!(debug_assertions) {
    true => DEBUG_SEED,
    false => random(),
});

/// A number that nobody outside of the process can guess.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0u8)
}

/// The seed of this process.
pub(crate) fn seed() -> u64 {
    *SEED
}

/// The hash of a key.
pub(crate) fn of_key(key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, seed())
}

/// The hash of a record that has no key, or whose handler keeps no order: that of its place.
pub(crate) fn of_place(place: u64) -> u64 {
    of_key(&place.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    /// Whoever knows the function alone can say which keys meet in a slot; with the seed nobody can.
    #[test]
    fn keys_meet_by_a_seed_of_the_process() {
        const SLOTS: u64 = 64;
        let chosen: Vec<_> = (0u64..)
            .map(u64::to_le_bytes)
            .filter(|key| xxh3_64(key).is_multiple_of(SLOTS))
            .take(100)
            .collect();
        let first = of_key(&chosen[0]) % SLOTS;
        let meet = chosen.iter().filter(|key| of_key(&**key) % SLOTS == first);
        // 100 keys that are spread at random over 64 slots do not fill one of them with 50.
        assert!(meet.count() < 50);
        assert_eq!(of_key(b"a"), of_key(b"a"));
        assert_eq!(of_place(7), of_key(&7u64.to_le_bytes()));
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(random(), random());
    }
}
