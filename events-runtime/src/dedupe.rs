//! The window of ids that a lane remembers, to tell duplicates apart (D3 b).

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// A 128-bit hash of source and id. It is seeded at random, so nobody can make two events collide on purpose.
pub(crate) type Identity = u128;

/// The last ids of a lane, each with the sequence number of the record that first bore it.
#[derive(Debug)]
pub(crate) struct Window {
    known: HashMap<Identity, u64, BuildHasherDefault<FoldIdentity>>,
    order: VecDeque<Identity>,
    capacity: usize,
    seed: u64,
    scratch: Vec<u8>,
}

impl Window {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            known: HashMap::default(),
            order: VecDeque::new(),
            capacity,
            seed: fastrand::u64(..),
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

    /// Remembers the record under `identity`, or answers the record that bore it before.
    pub(crate) fn first_bearer(&mut self, identity: Identity, seq: u64) -> Option<u64> {
        match self.known.entry(identity) {
            hashbrown::hash_map::Entry::Occupied(entry) => return Some(*entry.get()),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                entry.insert(seq);
            }
        }
        self.order.push_back(identity);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        None
    }
}

/// The identity is a hash already.
#[derive(Default)]
struct FoldIdentity(u64);

impl Hasher for FoldIdentity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // `u128` writes itself with `write_u128`; this is here for completeness alone.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, identity: u128) {
        self.0 = identity as u64;
    }
}
