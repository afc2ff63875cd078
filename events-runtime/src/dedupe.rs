//! The window of ids that a lane remembers, to tell duplicates apart (D3 b).

use hashbrown::{HashMap, HashTable};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::key_hash;

/// A 128-bit hash of source and id. It is seeded at random, so nobody can make two events collide on purpose.
pub(crate) type Identity = u128;

/// The last ids of a lane, each with the record that bore it first.
#[derive(Debug)]
pub(crate) struct Window {
    /// Places in `ring`. Small buckets keep the table of a busy lane in the processor's cache.
    table: HashTable<u32>,
    /// The identities in the order in which they came; from `capacity` on the oldest is overwritten.
    ring: Vec<Known>,
    /// What holds for one handler alone, by the place in `ring`: its first bearer is another, or [`NONE`], since it was given up.
    /// No more of them than ids.
    apart: HashMap<(u32, u16), i64>,
    next: usize,
    capacity: usize,
    /// How many handlers may differ.
    handlers: u16,
    seed: u64,
    scratch: Vec<u8>,
}

/// No offset.
const NONE: i64 = i64::MIN;

/// An identity and its first bearer, for each handler that takes that record's type.
#[derive(Debug, Clone, Copy)]
struct Known {
    identity: Identity,
    offset: i64,
    event: u16,
    /// Handlers differ.
    apart: bool,
}

impl Window {
    pub(crate) fn new(capacity: usize, handlers: usize) -> Self {
        Self {
            table: HashTable::new(),
            ring: Vec::new(),
            apart: HashMap::new(),
            next: 0,
            // Places are 32-bit numbers.
            capacity: capacity.min(u32::MAX as usize),
            handlers: u16::try_from(handlers).unwrap_or(u16::MAX),
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

    /// Whether the window holds the identity; then nothing changes. Else it is remembered, with the record at `offset` as its
    /// first bearer, and the oldest is forgotten.
    pub(crate) fn holds_or_remembers(
        &mut self,
        identity: Identity,
        offset: i64,
        event: u16,
    ) -> bool {
        let Self {
            table, ring, next, ..
        } = self;
        // The identity is a hash already.
        let hash = identity as u64;
        let known = table.find(hash, |place| ring[*place as usize].identity == identity);
        if known.is_some() || self.capacity == 0 {
            return known.is_some();
        }
        let new = Known {
            identity,
            offset,
            event,
            apart: false,
        };
        if ring.len() < self.capacity {
            ring.push(new);
        } else {
            let oldest = std::mem::replace(&mut ring[*next], new);
            let place = |place: &u32| *place as usize == *next;
            if let Ok(entry) = table.find_entry(oldest.identity as u64, place) {
                entry.remove();
            }
            if oldest.apart {
                for handler in 0..self.handlers {
                    self.apart.remove(&(*next as u32, handler));
                }
            }
        }
        table.insert_unique(hash, *next as u32, |place| {
            ring[*place as usize].identity as u64
        });
        *next = (*next + 1) % self.capacity;
        false
    }

    fn known(&self, identity: Identity) -> Option<usize> {
        let same = |place: &u32| self.ring[*place as usize].identity == identity;
        let place = self.table.find(identity as u64, same);
        place.map(|place| *place as usize)
    }

    /// The offset of the record that bore the identity first for a handler; none if no record that it takes did, or that one
    /// was given up.
    pub(crate) fn first_bearer(
        &self,
        identity: Identity,
        handler: u16,
        takes: impl FnOnce(u16) -> bool,
    ) -> Option<i64> {
        let place = self.known(identity)?;
        let known = self.ring[place];
        if known.apart
            && let Some(own) = self.apart.get(&(place as u32, handler))
        {
            return (*own != NONE).then_some(*own);
        }
        takes(known.event).then_some(known.offset)
    }

    /// For one handler another record is the first bearer of an identity that is remembered, or none is. Where handlers differ over
    /// as many ids as there may be, it is forgotten: then the next bearer is handled.
    pub(crate) fn set_bearer(&mut self, identity: Identity, handler: u16, offset: Option<i64>) {
        let Some(place) = self.known(identity) else {
            return;
        };
        let of = (place as u32, handler);
        if self.apart.len() < self.capacity || self.apart.contains_key(&of) {
            self.ring[place].apart = true;
            self.apart.insert(of, offset.unwrap_or(NONE));
            return;
        }
        let same = |other: &u32| *other as usize == place;
        if let Ok(entry) = self.table.find_entry(identity as u64, same) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::memory;

    #[test]
    fn remembers_as_many_as_it_holds() {
        let mut window = Window::new(3, 1);
        let ids: Vec<_> = (0u8..10)
            .map(|id| window.identity(b"shop", &[id]))
            .collect();
        for id in &ids {
            assert!(!window.holds_or_remembers(*id, 0, 0));
            assert!(window.holds_or_remembers(*id, 1, 0));
        }
        for (age, id) in ids.iter().rev().enumerate() {
            let mut window = Window {
                table: window.table.clone(),
                ring: window.ring.clone(),
                apart: window.apart.clone(),
                scratch: Vec::new(),
                ..window
            };
            assert_eq!(window.holds_or_remembers(*id, 0, 0), age < 3, "age {age}");
        }
    }

    #[test]
    fn source_and_id_do_not_run_together() {
        let mut window = Window::new(8, 1);
        assert_ne!(window.identity(b"a", b"bc"), window.identity(b"ab", b"c"));
    }

    #[test]
    fn each_handler_has_a_first_bearer_of_its_own() {
        let mut window = Window::new(2, 3);
        let id = window.identity(b"shop", b"1");
        assert_eq!(window.first_bearer(id, 0, |_| true), None);
        window.holds_or_remembers(id, 10, 7);
        let takes_seven = |event| event == 7;
        assert_eq!(window.first_bearer(id, 0, takes_seven), Some(10));
        assert_eq!(
            window.first_bearer(id, 1, |_| false),
            None,
            "it took no bearer"
        );
        window.set_bearer(id, 1, Some(20));
        window.set_bearer(id, 0, None);
        assert_eq!(window.first_bearer(id, 0, takes_seven), None, "given up");
        assert_eq!(window.first_bearer(id, 1, |_| false), Some(20));
        assert_eq!(window.first_bearer(id, 2, takes_seven), Some(10));
        for other in [b"2", b"3"] {
            let other = window.identity(b"shop", other);
            window.holds_or_remembers(other, 30, 7);
        }
        assert_eq!(window.first_bearer(id, 1, |_| false), None);
        assert!(window.apart.is_empty(), "it is bounded like the window");
    }

    /// A walk over all that differ takes 600,000,000 steps.
    #[test]
    fn an_identity_that_differs_is_forgotten_in_constant_time() {
        const WINDOW: usize = 10_000;
        let mut window = Window::new(WINDOW, 1);
        let begun = Instant::now();
        for number in 0..7 * WINDOW as u64 {
            let id = window.identity(b"shop", &number.to_le_bytes());
            window.holds_or_remembers(id, 0, 0);
            window.set_bearer(id, 0, None);
        }
        assert_eq!(window.apart.len(), WINDOW);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn handlers_differ_over_no_more_ids_than_are_remembered() {
        let mut window = Window::new(4, 8);
        let ids: Vec<_> = (0u8..4).map(|id| window.identity(b"shop", &[id])).collect();
        for (offset, id) in (0..).zip(&ids) {
            window.holds_or_remembers(*id, offset, 0);
        }
        for handler in 0..8 {
            window.set_bearer(ids[0], handler, None);
        }
        assert_eq!(window.apart.len(), 4);
        assert_eq!(window.first_bearer(ids[0], 0, |_| true), None);
        assert!(!window.holds_or_remembers(ids[0], 9, 0), "it is forgotten");
        assert_eq!(window.first_bearer(ids[1], 0, |_| true), Some(1));
        assert!(window.apart.len() <= 4);
    }

    /// Tables and rings grow to twice what they hold.
    #[test]
    fn an_id_takes_no_more_than_the_formula_says() {
        let places = 2 * (size_of::<u32>() + 1);
        let apart = 2 * (size_of::<((u32, u16), i64)>() + 1);
        let known = size_of::<Known>() * 2;
        assert!(known + places + apart <= memory::ID);
    }
}
