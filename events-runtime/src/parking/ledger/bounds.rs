//! How much a ledger keeps, whatever its log says (D7): most of what stands there was written by lanes, which keep to the bounds,
//! but an action may be written by others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashSet;

use super::{Identity, Item, Ledger, Open};

/// Why a redrive does not count.
pub(crate) const REFUSED: &str = "as much is parked as the lane may keep: the redrive is refused";
/// What is kept of a finished record that may come again.
pub(crate) const FINISHED: usize = 256;
/// Most redrives of which something is remembered: that they are done, or that they were refused and nobody was told.
const MAX_REDRIVES: usize = 10_000;
/// Most bytes of their ids.
const MAX_REDRIVE_BYTES: usize = 1 << 20;

/// Bounds of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Open records that a pair may have.
    pub(crate) per_pair: usize,
    /// Open records beyond which no redrive is taken. A record that a lane parked is always taken: its source is done with it.
    pub(crate) records: usize,
    /// The same of the bytes.
    pub(crate) bytes: usize,
    /// How far behind a record a second copy of it may stand in the log, in offsets: copies are written again when the
    /// producer is replaced, before anything else, so that no more lies between them than what was under way.
    pub(crate) copies_within: usize,
}

#[cfg(test)]
impl Bounds {
    /// Of the records of a pair alone.
    pub(crate) fn per_pair(per_pair: usize) -> Self {
        Self {
            per_pair,
            records: usize::MAX,
            bytes: usize::MAX,
            copies_within: usize::MAX,
        }
    }
}

/// Ids of dead letters, oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    ids: VecDeque<Arc<str>>,
    bytes: usize,
}

impl Remembered {
    /// Remembers one more.
    pub(super) fn push(&mut self, id: Arc<str>) {
        self.bytes += id.len();
        self.ids.push_back(id);
    }

    /// The next one that is forgotten for it.
    pub(super) fn forgotten(&mut self) -> Option<Arc<str>> {
        let full = self.ids.len() > MAX_REDRIVES || self.bytes > MAX_REDRIVE_BYTES;
        let id = full.then(|| self.ids.pop_front()).flatten()?;
        self.bytes -= id.len();
        Some(id)
    }
}

/// Redrives that were refused, and whose dead letters do not say so yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    at: BTreeMap<i64, Arc<str>>,
    ids: HashSet<Arc<str>>,
    bytes: usize,
}

impl Refusals {
    fn add(&mut self, at: i64, id: &Arc<str>) {
        let full = self.at.len() >= MAX_REDRIVES || self.bytes >= MAX_REDRIVE_BYTES;
        // Of more than these no letter is told; the log of the lane is.
        if !full && self.ids.insert(Arc::clone(id)) {
            self.bytes += id.len();
            self.at.insert(at, Arc::clone(id));
        }
    }

    /// The redrive that stands at `at` was taken by an earlier owner, which had room for it.
    pub(super) fn withdraw(&mut self, at: i64) -> Option<Arc<str>> {
        let id = self.at.remove(&at)?;
        self.ids.remove(&id);
        self.bytes -= id.len();
        Some(id)
    }

    /// The letter is redriven once more, and there is room for it.
    fn supersede(&mut self, id: &Arc<str>) {
        if self.ids.contains(id) {
            let at = self.at.iter().find(|(_, other)| *other == id);
            if let Some(at) = at.map(|(at, _)| *at) {
                self.withdraw(at);
            }
        }
    }

    fn take(&mut self) -> Option<Arc<str>> {
        let at = *self.at.first_key_value()?.0;
        self.withdraw(at)
    }
}

impl<T> Open<T> {
    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        let error = self.error.as_ref().map_or(0, String::len);
        self.size + error + self.order.as_ref().map_or(0, |order| order.by().len())
    }
}

impl<T> Ledger<T> {
    /// Changes an open record, and counts what it takes then.
    pub(super) fn change(&mut self, at: i64, change: impl FnOnce(&mut Open<T>)) {
        if let Some(open) = self.open.get_mut(&at) {
            self.bytes -= open.weight();
            change(open);
            self.bytes += open.weight();
        }
    }

    /// Bytes beyond which no redrive is taken from here on.
    pub(crate) fn set_room(&mut self, bytes: usize) {
        self.bounds.bytes = bytes;
    }

    /// A redrive that its log asks for at `offset`, unless there is no room for it.
    pub(super) fn admit_redrive(
        &mut self,
        offset: i64,
        item: &Item<T>,
    ) -> Result<(), &'static str> {
        let Identity::Redrive(id) = &item.identity else {
            return Ok(());
        };
        if self.copies.contains_key(&item.identity) {
            return Ok(());
        }
        let bytes = self.bytes().saturating_add(item.size);
        if self.open.len() >= self.bounds.records || bytes > self.bounds.bytes {
            self.refusals.add(offset, id);
            return Err(REFUSED);
        }
        self.refusals.supersede(id);
        Ok(())
    }

    /// The dead letter of a redrive that was refused, to be told so.
    pub(crate) fn take_refusal(&mut self) -> Option<Arc<str>> {
        self.refusals.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Claim, Fact, Order, Pair};
    use super::*;

    fn item(identity: Identity, size: usize) -> Item<()> {
        Item {
            identity,
            pair: Pair { handler: 1, key: 7 },
            redriven: None,
            runnable: true,
            attempts: 1,
            next: 0,
            error: None,
            size,
            payload: (),
        }
    }

    fn redrive(id: &str, size: usize) -> Fact<()> {
        Fact::Redrive(item(Identity::Redrive(id.into()), size))
    }

    fn parked(origin: i64, size: usize) -> Fact<()> {
        Fact::Parked("c".to_owned(), item(Identity::Origin(1, origin, 0), size))
    }

    fn claim(generation: i64, token: &str) -> Fact<()> {
        Fact::Claim(Claim {
            generation,
            token: token.to_owned(),
        })
    }

    fn ledger(records: usize, bytes: usize) -> Ledger<()> {
        let bounds = Bounds {
            per_pair: usize::MAX,
            records,
            bytes,
            copies_within: usize::MAX,
        };
        let mut ledger = Ledger::new(0, None, "c".to_owned(), bounds);
        let _ = ledger.read(0, claim(1, "c"));
        ledger
    }

    #[test]
    fn no_redrive_is_taken_beyond_the_bounds_and_what_a_lane_parked_always_is() {
        for mut ledger in [ledger(2, usize::MAX), ledger(usize::MAX, 200)] {
            assert!(ledger.read(1, redrive("a", 100)).is_ok());
            assert!(ledger.read(2, redrive("b", 100)).is_ok());
            assert_eq!(ledger.read(3, redrive("c", 1)), Err(REFUSED));
            assert!(ledger.read(4, parked(10, 100)).is_ok());
            assert_eq!((ledger.len(), ledger.bytes()), (3, 300));
            let again = ledger.read(5, redrive("b", 100));
            assert_ne!(again, Err(REFUSED), "it is one that was taken");
            assert_eq!(ledger.take_refusal().as_deref(), Some("c"));
            assert_eq!(ledger.take_refusal(), None);
            for at in [1, 2, 4] {
                ledger.finish(at);
            }
            assert_eq!(ledger.bytes(), 3 * FINISHED);
            ledger.set_room(usize::MAX);
            assert!(ledger.read(6, redrive("c", 1)).is_ok(), "there is room now");
        }
    }

    #[test]
    fn of_a_refused_redrive_nothing_is_told_if_it_was_taken_elsewhere() {
        let mut ledger = ledger(1, usize::MAX);
        let _ = ledger.read(1, parked(10, 1));
        for (at, id) in [(2, "done"), (3, "again"), (4, "again"), (5, "told")] {
            assert_eq!(ledger.read(at, redrive(id, 1)), Err(REFUSED));
        }
        // An earlier owner had room for it.
        let token = "c".to_owned();
        let _ = ledger.read(6, Fact::Done { token, at: 2 });
        ledger.finish(1);
        assert!(ledger.read(7, redrive("again", 1)).is_ok());
        assert_eq!(ledger.take_refusal().as_deref(), Some("told"));
        assert_eq!(ledger.take_refusal(), None);
    }

    #[test]
    fn what_is_remembered_while_a_log_is_rebuilt_does_not_grow_with_it() {
        const WITHIN: usize = 100;
        let bounds = Bounds {
            copies_within: WITHIN,
            ..Bounds::per_pair(usize::MAX)
        };
        let mut ledger = Ledger::new(0, None, "new".to_owned(), bounds).resumed_at(1 << 40);
        let mut at = 0;
        let mut read = |ledger: &mut Ledger<()>, fact| {
            at += 1;
            (at, ledger.read(at, fact))
        };
        let _ = read(&mut ledger, claim(1, "c"));
        // It waits for a day, and the log is read from it on.
        let _ = read(&mut ledger, parked(0, 1));
        for origin in 1..10_000 {
            let (at, _) = read(&mut ledger, parked(origin, 1));
            let token = "c".to_owned();
            let _ = read(&mut ledger, Fact::Done { token, at });
            if origin % 500 == 0 {
                // The producer was replaced, and wrote again what was under way.
                let again = read(&mut ledger, parked(origin - 20, 1)).1;
                assert_eq!(again, Err("a copy of a record that is known"), "{origin}");
            }
            assert!(ledger.remembered() <= 3 * WITHIN + 100, "{origin}");
            assert!(ledger.copies.len() <= 3 * WITHIN + 101, "{origin}");
        }
        assert_eq!(ledger.len(), 1);
    }

    #[test]
    fn errors_and_orders_count_while_they_are_kept() {
        let mut ledger = ledger(10, 1_000);
        let _ = ledger.read(1, parked(10, 100));
        ledger.failed(2, 1, 2, 0, "x".repeat(50));
        assert_eq!(ledger.bytes(), 150);
        ledger.failed(3, 1, 3, 0, "x".repeat(20));
        let order = Order::Discard("y".repeat(30));
        let _ = ledger.read(4, Fact::Order { at: 1, order });
        assert_eq!(ledger.bytes(), 150);
        ledger.refuse(1);
        assert_eq!(ledger.bytes(), 120);
        ledger.finish(1);
        assert_eq!(ledger.bytes(), FINISHED);
    }

    #[test]
    fn what_is_remembered_of_redrives_and_claims_is_bounded() {
        let mut ledger = ledger(1, usize::MAX);
        let _ = ledger.read(1, parked(10, 1));
        let id = "i".repeat(500);
        let mut offset = 1;
        for n in 0..20_000 {
            offset += 1;
            let _ = ledger.read(offset, redrive(&format!("{id}{n}"), 1));
            offset += 1;
            let _ = ledger.read(offset, claim(2, &format!("{n}")));
        }
        assert!(ledger.refusals.bytes <= MAX_REDRIVE_BYTES + 600);
        assert!(ledger.claims.len() <= 3, "{}", ledger.claims.len());
        ledger.bounds.records = usize::MAX;
        for n in 0..20_000 {
            offset += 1;
            let _ = ledger.read(offset, redrive(&format!("{id}/{n}"), 1));
            ledger.finish(offset);
        }
        assert!(ledger.redrives.bytes <= MAX_REDRIVE_BYTES);
        assert!(ledger.copies.len() < 3_000, "{}", ledger.copies.len());
    }
}
