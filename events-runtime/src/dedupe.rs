//! The window of ids that a lane remembers, to tell duplicates apart (D3 b).

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::key_hash;

/// A 128-bit hash of source and id. It is seeded at random, so nobody can make two events collide on purpose.
pub(crate) type Identity = u128;

/// The last ids of a lane.
#[derive(Debug)]
pub(crate) struct Window {
    /// Places in `ring`. Small buckets keep the table of a busy lane in the processor's cache.
    table: HashTable<u32>,
    /// The identities in the order in which they came; from `capacity` on the oldest is overwritten.
    ring: Vec<Identity>,
    next: usize,
    capacity: usize,
    seed: u64,
    scratch: Vec<u8>,
}

impl Window {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            table: HashTable::new(),
            ring: Vec::new(),
            next: 0,
            // Places are 32-bit numbers.
            capacity: capacity.min(u32::MAX as usize),
            seed: key_hash::random(),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn identity(&mut self, source: &[u8], id: &[u8]) -> Identity {
        self.scratch.clear();
        // The length keeps ("a", "bc") apart from ("ab", "c").
        self.scratch
            .extend_from_slice(&(source.len() as u64).to_le_bytes());
        self.scratch.extend_from_slice(source);
        self.scratch.extend_from_slice(id);
        xxh3_128_with_seed(&self.scratch, self.seed)
    }

    /// Whether the window holds the identity; then nothing changes. Else it is remembered, and the oldest forgotten.
    pub(crate) fn holds_or_remembers(&mut self, identity: Identity) -> bool {
        let Self {
            table, ring, next, ..
        } = self;
        // The identity is a hash already.
        let hash = identity as u64;
        let known = table.find(hash, |place| ring[*place as usize] == identity);
        if known.is_some() || self.capacity == 0 {
            return known.is_some();
        }
        if ring.len() < self.capacity {
            ring.push(identity);
        } else {
            let oldest = std::mem::replace(&mut ring[*next], identity);
            if let Ok(entry) = table.find_entry(oldest as u64, |place| *place as usize == *next) {
                entry.remove();
            }
        }
        table.insert_unique(hash, *next as u32, |place| ring[*place as usize] as u64);
        *next = (*next + 1) % self.capacity;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_as_many_as_it_holds() {
        let mut window = Window::new(3);
        let ids: Vec<_> = (0u8..10)
            .map(|id| window.identity(b"shop", &[id]))
            .collect();
        for id in &ids {
            assert!(!window.holds_or_remembers(*id));
            assert!(window.holds_or_remembers(*id));
        }
        for (age, id) in ids.iter().rev().enumerate() {
            let mut window = Window {
                table: window.table.clone(),
                ring: window.ring.clone(),
                scratch: Vec::new(),
                ..window
            };
            assert_eq!(window.holds_or_remembers(*id), age < 3, "age {age}");
        }
    }

    #[test]
    fn source_and_id_do_not_run_together() {
        let mut window = Window::new(8);
        assert_ne!(window.identity(b"a", b"bc"), window.identity(b"ab", b"c"));
    }
}
