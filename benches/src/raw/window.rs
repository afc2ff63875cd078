//! The window of ids that tells duplicates apart: of the size and the structure that the framework's has.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Ids remembered for each partition.
const CAPACITY: usize = 16_384;

/// The last ids of one partition.
pub(super) struct Window {
    known: HashSet<u128, BuildHasherDefault<Fold>>,
    order: VecDeque<u128>,
    seed: u64,
    scratch: Vec<u8>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            known: HashSet::default(),
            order: VecDeque::new(),
            seed: fastrand::u64(..),
            scratch: Vec::new(),
        }
    }

    /// Whether the event is seen for the first time.
    pub(super) fn is_new(&mut self, source: &[u8], id: &[u8]) -> bool {
        self.scratch.clear();
        self.scratch
            .extend_from_slice(&(source.len() as u64).to_le_bytes());
        self.scratch.extend_from_slice(source);
        self.scratch.extend_from_slice(id);
        let identity = xxh3_128_with_seed(&self.scratch, self.seed);
        if !self.known.insert(identity) {
            return false;
        }
        self.order.push_back(identity);
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// The identity is a hash already.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, identity: u128) {
        self.0 = identity as u64;
    }
}
