//! Distinct keys that fail in a row.

use std::collections::HashSet;
use std::hash::Hash;

/// Most that are counted: nothing depends on more, and a handler that never succeeds must not fill the memory.
pub(super) const MOST: usize = 1_000;

pub(super) struct Failing<K>(HashSet<K>);

impl<K> Default for Failing<K> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<K: Hash + Eq> Failing<K> {
    /// Counts a key; answers how many there are.
    pub(super) fn add(&mut self, key: K) -> usize {
        if self.0.len() < MOST {
            self.0.insert(key);
        }
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_keys_are_counted_up_to_a_bound() {
        let mut failing = Failing::default();
        assert_eq!([1, 1, 2].map(|key| failing.add(key)), [1, 1, 2]);
        for key in 0..3 * MOST {
            failing.add(key);
        }
        assert_eq!(failing.0.len(), MOST);
    }
}
