//! What the facts of a parked log add up to: which records wait, in which order, and who may say so.
//!
//! Pure: no clock, no broker. Two lanes that read the same log from any hint of one another come to the same state.

mod bounds;
mod claims;
mod facts;
mod hint;
#[cfg(test)]
mod model;
mod schedule;
#[cfg(test)]
mod tests;
mod view;

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;

pub(crate) use bounds::{Bounds, REFUSED};
use bounds::{Refusals, Remembered};
pub use claims::is_possible;
pub(crate) use claims::{FORGED, number_after, shown};
pub(crate) use facts::{Claim, Fact, Identity, Item, Order, Pair, Token};
pub(crate) use view::Copy;

/// A record that is not done.
#[derive(Debug)]
pub(crate) struct Open<T> {
    pub(crate) identity: Identity,
    pub(crate) pair: Pair,
    redriven: Option<i64>,
    pub(crate) attempts: u32,
    pub(crate) next: i64,
    /// Where the word of its last failed attempt stands in the log.
    failed_at: i64,
    /// Why it failed last, briefly.
    pub(crate) error: Option<String>,
    pub(crate) order: Option<Order>,
    pub(crate) payload: T,
    size: usize,
    runnable: bool,
    /// With a slot, or on its way to `done`.
    running: bool,
    last_copy: i64,
}

/// A record that is done and may come again.
#[derive(Debug)]
struct Finished {
    identity: Identity,
    pair: Pair,
    last_copy: i64,
}

/// Where a record stands in its line, and its offset in the log. A record that was refused for a moment is written behind
/// those that followed it, so lines go by the source; a redriven one stands behind what is there.
type Place = (i64, i64);

/// The open records of a pair, in order.
#[derive(Debug, Default)]
struct Line {
    open: VecDeque<Place>,
    /// Under what time its head stands in the schedule.
    scheduled: Option<i64>,
}

/// How a lane stands to its parked log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its claim has not been read yet.
    Claiming,
    /// Its claim is in force.
    Owner,
    /// Its claim did not count: a claim of this later generation was there already.
    Outranked(i64),
    /// Another's claim is in force: of this generation.
    Fenced(i64),
}

#[derive(Debug)]
pub(crate) struct Ledger<T> {
    ours: Token,
    standing: Standing,
    /// Behind the last fact that was read.
    position: i64,
    /// The claims in force from each offset on; the first may stand below every fact.
    claims: Vec<(i64, Claim)>,
    open: BTreeMap<i64, Open<T>>,
    finished: BTreeMap<i64, Finished>,
    /// Redrives that are done: a second one is told apart.
    redrives: Remembered,
    refusals: Refusals,
    /// Open redrives, by the handler's hash and the offset that the record once had.
    redriven: HashMap<(u32, i64), i64>,
    /// Where the first copy of each record stands, also of one that is done and may come again.
    copies: BTreeMap<Identity, i64>,
    lines: HashMap<Pair, Line>,
    /// Heads that wait, by the time of their next attempt.
    schedule: BTreeSet<(i64, Pair)>,
    /// Records under an order that nothing is under way at.
    orders: BTreeSet<i64>,
    bytes: usize,
    running: usize,
    bounds: Bounds,
    /// Finished records when they were last looked through at a claim.
    kept: usize,
    crowded: BTreeSet<Pair>,
    /// The source is read from here on.
    resumed_at: i64,
    /// Behind the highest origin of which a copy was read before the claim.
    rebuilt_end: i64,
}

impl<T> Ledger<T> {
    /// An empty ledger of the lane with the token `ours`, that reads from `position`, where `claim` is in force.
    pub(crate) fn new(position: i64, claim: Option<Claim>, ours: Token, bounds: Bounds) -> Self {
        Self {
            ours,
            standing: Standing::Claiming,
            position,
            claims: claim.map(|claim| (i64::MIN, claim)).into_iter().collect(),
            open: BTreeMap::new(),
            finished: BTreeMap::new(),
            redrives: Remembered::default(),
            refusals: Refusals::default(),
            redriven: HashMap::new(),
            copies: BTreeMap::new(),
            lines: HashMap::new(),
            schedule: BTreeSet::new(),
            orders: BTreeSet::new(),
            bytes: 0,
            running: 0,
            bounds,
            kept: 0,
            crowded: BTreeSet::new(),
            resumed_at: i64::MIN,
            rebuilt_end: i64::MIN,
        }
    }

    /// Of a lane that reads its source from `offset` on.
    pub(crate) fn resumed_at(self, offset: i64) -> Self {
        Self {
            resumed_at: offset,
            ..self
        }
    }

    /// Takes a fact that was read. Answers the pair that has one record more or less by it, or why it does not count.
    pub(crate) fn read(
        &mut self,
        offset: i64,
        fact: Fact<T>,
    ) -> Result<Option<Pair>, &'static str> {
        self.position = offset.saturating_add(1);
        match fact {
            Fact::Claim(claim) => self.claim(offset, claim).map(|()| None),
            Fact::Parked(token, item) => {
                self.admit(&token)?;
                self.enter(offset, item).map(Some)
            }
            Fact::Redrive(item) => self.enter(offset, item).map(Some),
            Fact::Failed {
                token,
                at,
                attempts,
                next,
                error,
            } => {
                self.admit(&token)?;
                self.failed(offset, at, attempts, next, error);
                Ok(None)
            }
            Fact::Done { token, at } => {
                self.admit(&token)?;
                self.refusals.withdraw(at);
                let pair = self.finish(at);
                self.forget_rebuilt();
                Ok(pair)
            }
            Fact::RetryNow(pair) => self.retry_now(pair).map(|()| None),
            Fact::TakeOver { token } => self.forget_claim(offset, &token).map(|()| None),
            Fact::Order { at, order } => self.order(at, order).map(|()| None),
        }
    }

    /// A record that could not be understood stands here.
    pub(crate) fn skip(&mut self, offset: i64) {
        self.position = offset.saturating_add(1);
    }

    fn enter(&mut self, offset: i64, item: Item<T>) -> Result<Pair, &'static str> {
        let redriven = item.redriven.map(|origin| (item.pair.handler, origin));
        if let Some(redriven) = redriven {
            let known = self.redriven.get(&redriven);
            if known.is_some_and(|at| self.copies.get(&item.identity) != Some(at)) {
                return Err("another letter of a record that is being redriven");
            }
        }
        self.admit_redrive(offset, &item)?;
        let first = match self.copies.entry(item.identity.clone()) {
            Slot::Occupied(first) => *first.get(),
            Slot::Vacant(place) => {
                place.insert(offset);
                offset
            }
        };
        if first != offset {
            if let Some(open) = self.open.get_mut(&first) {
                open.last_copy = offset;
            } else {
                // Of a redrive that is done only the id may be known: whoever reads on from the hint must find both.
                let finished = self.finished.entry(first).or_insert(Finished {
                    identity: item.identity,
                    pair: item.pair,
                    last_copy: offset,
                });
                finished.last_copy = offset;
            }
            return Err("a copy of a record that is known");
        }
        let pair = item.pair;
        let origin = match item.identity {
            Identity::Origin(_, origin, _) => Some(origin),
            Identity::Redrive(_) => None,
        };
        if let Some(redriven) = redriven {
            self.redriven.insert(redriven, offset);
        }
        let open = Open {
            identity: item.identity,
            pair,
            redriven: item.redriven,
            attempts: item.attempts,
            next: item.next,
            failed_at: offset,
            error: item.error,
            order: None,
            payload: item.payload,
            size: item.size,
            runnable: item.runnable,
            running: false,
            last_copy: offset,
        };
        self.bytes += open.weight();
        self.open.insert(offset, open);
        let line = self.lines.entry(pair).or_default();
        let last = line.open.back().map_or(i64::MIN, |(place, _)| *place);
        let place = origin.unwrap_or(last);
        if place >= last {
            line.open.push_back((place, offset));
        } else {
            let behind = line.open.partition_point(|(other, _)| *other <= place);
            line.open.insert(behind, (place, offset));
        }
        if line.open.len() >= self.bounds.per_pair {
            self.crowded.insert(pair);
        }
        self.reschedule(pair);
        Ok(pair)
    }

    /// The attempt that was under way at a record has failed: so says the log at `offset`.
    pub(crate) fn failed(&mut self, offset: i64, at: i64, attempts: u32, next: i64, error: String) {
        // An acknowledgement comes before its fact is read back, so the word of an earlier attempt may be read after it.
        let open = self.open.get(&at);
        let Some(pair) = open
            .filter(|open| open.failed_at <= offset)
            .map(|open| open.pair)
        else {
            return;
        };
        self.change(at, |open| {
            open.failed_at = offset;
            open.attempts = attempts;
            open.next = next;
            open.error = Some(error);
        });
        self.reschedule(pair);
    }

    /// Nothing is under way any more at a record that stays open.
    pub(crate) fn rest(&mut self, at: i64) {
        let Some(open) = self.open.get_mut(&at) else {
            return;
        };
        self.running -= usize::from(std::mem::take(&mut open.running));
        if open.order.is_some() {
            self.orders.insert(at);
        }
        let pair = open.pair;
        self.reschedule(pair);
    }

    /// The order about a record cannot be carried out.
    pub(crate) fn refuse(&mut self, at: i64) {
        self.change(at, |open| open.order = None);
        self.rest(at);
    }

    /// The record is done. Answers its pair if it was open.
    pub(crate) fn finish(&mut self, at: i64) -> Option<Pair> {
        let open = self.open.remove(&at)?;
        let pair = open.pair;
        self.bytes -= open.weight();
        self.running -= usize::from(open.running);
        self.orders.remove(&at);
        if let Some(origin) = open.redriven {
            self.redriven.remove(&(pair.handler, origin));
        }
        if let Identity::Redrive(id) = &open.identity {
            self.redrives.push(Arc::clone(id));
            while let Some(forgotten) = self.redrives.forgotten() {
                self.copies.remove(&Identity::Redrive(forgotten));
            }
        }
        self.finished.insert(
            at,
            Finished {
                identity: open.identity,
                pair,
                last_copy: open.last_copy,
            },
        );
        if let Some(line) = self.lines.get_mut(&pair) {
            if let Some(place) = line.open.iter().position(|(_, offset)| *offset == at) {
                line.open.remove(place);
            }
            if line.open.len() < self.bounds.per_pair {
                self.crowded.remove(&pair);
            }
        }
        self.reschedule(pair);
        Some(pair)
    }

    fn retry_now(&mut self, pair: Pair) -> Result<(), &'static str> {
        let head = self.lines.get(&pair).and_then(|line| line.open.front());
        let head = head.and_then(|(_, head)| self.open.get_mut(head));
        head.ok_or("a word about a key that is not parked")?.next = i64::MIN;
        self.reschedule(pair);
        Ok(())
    }

    fn order(&mut self, at: i64, order: Order) -> Result<(), &'static str> {
        if matches!(order, Order::Skip(_)) && !self.is_head(at) {
            return Err("a word to skip a record that is not its key's first");
        }
        let open = self.open.get(&at);
        let open = open.ok_or("a word about a record that is not parked")?;
        let (pair, running) = (open.pair, open.running);
        self.change(at, |open| open.order = Some(order));
        if !running {
            self.orders.insert(at);
        }
        self.reschedule(pair);
        Ok(())
    }
}
