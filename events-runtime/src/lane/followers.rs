//! Duplicates that wait for the record that bore their id first (D3 b).

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::transport::Record;
use crate::work::Work;

/// A duplicate is done when its first bearer is; if that one is given up, the next bearer takes its place. Until then it waits
/// here, and the later records of its key behind it (D2).
#[derive(Debug)]
pub(super) struct Followers<R> {
    /// By handler and key, in order. The first of each is a duplicate that waits.
    keys: HashMap<(usize, u64), VecDeque<Waiting<R>>>,
    /// Keys and offsets of the duplicates of a record, by its offset and the handler.
    firsts: HashMap<(i64, usize), VecDeque<(u64, i64)>>,
    /// What is to become of duplicates that are not the first of their key yet.
    verdicts: HashMap<(usize, i64), Verdict>,
}

#[derive(Debug)]
struct Waiting<R> {
    work: Work<R>,
    is_duplicate: bool,
}

/// What becomes of a record that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is handled.
    Handle,
    /// It is done without.
    Done,
}

/// What the end of a first bearer brings about.
#[derive(Debug)]
pub(super) struct Released<R> {
    pub(super) records: Vec<(Work<R>, Verdict)>,
    /// The offset of the duplicate that takes the place of a first bearer that was given up.
    pub(super) bearer: Option<i64>,
}

impl<R: Record> Followers<R> {
    pub(super) fn new() -> Self {
        Self {
            keys: HashMap::new(),
            firsts: HashMap::new(),
            verdicts: HashMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes a record that must wait: as a duplicate of the one at `first`, or behind one of its key. Others are given back.
    pub(super) fn take(
        &mut self,
        handler: usize,
        mut work: Work<R>,
        first: Option<i64>,
    ) -> Option<Work<R>> {
        let key = (handler, work.key);
        if first.is_none() && !self.keys.contains_key(&key) {
            return Some(work);
        }
        if let Some(first) = first {
            let followers = self.firsts.entry((first, handler)).or_default();
            followers.push_back((work.key, work.record.offset()));
        }
        work.record.detach();
        self.keys.entry(key).or_default().push_back(Waiting {
            work,
            is_duplicate: first.is_some(),
        });
        None
    }

    /// The handler has done the record at `first`, or given it up.
    pub(super) fn release(&mut self, first: i64, handler: usize, given_up: bool) -> Released<R> {
        let mut released = Released {
            records: Vec::new(),
            bearer: None,
        };
        let Some(mut followers) = self.firsts.remove(&(first, handler)) else {
            return released;
        };
        if given_up {
            if let Some((key, offset)) = followers.pop_front() {
                self.verdicts.insert((handler, offset), Verdict::Handle);
                released.bearer = Some(offset);
                if !followers.is_empty() {
                    self.firsts.insert((offset, handler), followers);
                }
                self.advance(handler, key, &mut released.records);
            }
            return released;
        }
        for (_, offset) in &followers {
            self.verdicts.insert((handler, *offset), Verdict::Done);
        }
        for (key, _) in followers {
            self.advance(handler, key, &mut released.records);
        }
        released
    }

    /// Lets records of a key go, up to the next duplicate that waits.
    fn advance(&mut self, handler: usize, key: u64, into: &mut Vec<(Work<R>, Verdict)>) {
        let Some(waiting) = self.keys.get_mut(&(handler, key)) else {
            return;
        };
        while let Some(first) = waiting.front() {
            let verdict = match first.is_duplicate {
                false => Some(Verdict::Handle),
                true => {
                    let offset = first.work.record.offset();
                    self.verdicts.remove(&(handler, offset))
                }
            };
            let (Some(verdict), Some(first)) = (verdict, verdict.and_then(|_| waiting.pop_front()))
            else {
                return;
            };
            into.push((first.work, verdict));
        }
        self.keys.remove(&(handler, key));
    }
}
