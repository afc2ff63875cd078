//! What waits in parked logs, as their facts are read: the same rules as the lanes', for whoever only looks.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use events_core::{Error, RecordView, Result};
use events_runtime::claim_is_possible;

use super::fact::{Entry, Fact, Identity};
use crate::cli::headers::headers;
use crate::cli::place::Place;
use crate::reader::Committed;

/// Most records that are kept, at about 400 bytes each.
const MOST: usize = 1_000_000;
/// Finished records of a log that are remembered, to tell later copies apart.
const FINISHED: usize = 10_000;

/// What waits in parked logs. What is done is forgotten.
#[derive(Debug)]
pub(super) struct Book {
    logs: BTreeMap<(Arc<str>, i32), Log>,
    open: usize,
    most: usize,
}

#[derive(Debug, Default)]
struct Log {
    /// Generation and token of the claim in force.
    claim: Option<(i64, String)>,
    /// The generation of a later claim that it outranks.
    outranked: Option<i64>,
    /// Whether the group has committed from where on to read.
    hinted: bool,
    /// Without a claim the first token counts.
    first: Option<String>,
    open: BTreeMap<i64, Entry>,
    copies: HashSet<Identity>,
    /// Handlers and offsets of open redrives: of two letters of a record one is redriven at a time.
    redriven: HashSet<(Arc<str>, i64)>,
    finished: VecDeque<Identity>,
}

impl Log {
    fn counts(&mut self, token: &str) -> bool {
        match &self.claim {
            Some((_, current)) => current == token,
            None => self.first.get_or_insert_with(|| token.to_owned()) == token,
        }
    }

    /// Whether an entry that counts is news.
    fn enters(&mut self, entry: &Entry) -> bool {
        let redriven = (Arc::clone(&entry.handler), entry.origin.offset);
        if entry.redrive.is_some() && self.redriven.contains(&redriven) {
            return false;
        }
        let enters = self.copies.insert(entry.identity());
        if enters && entry.redrive.is_some() {
            self.redriven.insert(redriven);
        }
        enters
    }

    fn finish(&mut self, at: i64) -> bool {
        let Some(entry) = self.open.remove(&at) else {
            return false;
        };
        if entry.redrive.is_some() {
            self.redriven
                .remove(&(Arc::clone(&entry.handler), entry.origin.offset));
        }
        self.finished.push_back(entry.identity());
        if self.finished.len() > FINISHED
            && let Some(oldest) = self.finished.pop_front()
        {
            self.copies.remove(&oldest);
        }
        true
    }
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            logs: BTreeMap::new(),
            open: 0,
            most: MOST,
        }
    }

    /// Says that a log is read from what its group has committed, if it has: then the claim in force there is known.
    pub(super) fn begin(&mut self, topic: &Arc<str>, partition: i32, hint: Option<&Committed>) {
        let claim = hint.and_then(|hint| {
            let (generation, token) = hint.metadata.split_once(':')?;
            let generation = generation.parse().ok()?;
            claim_is_possible(None, generation).then(|| (generation, token.to_owned()))
        });
        let log = Log {
            claim,
            hinted: hint.is_some(),
            ..Log::default()
        };
        self.logs.insert((Arc::clone(topic), partition), log);
    }

    /// Takes the next fact of a log. What is no fact is none of ours.
    ///
    /// # Errors
    ///
    /// More waits than may be kept.
    pub(super) fn add(&mut self, record: &dyn RecordView) -> Result<()> {
        let Some(fact) = Fact::read(record, &headers(record)) else {
            return Ok(());
        };
        let log = self
            .logs
            .entry((record.topic().into(), record.partition()))
            .or_default();
        match fact {
            Fact::Claim { generation, token } => {
                let newest = log.claim.as_ref();
                if !claim_is_possible(newest.map(|(known, _)| *known), generation) {
                    return Ok(());
                }
                if newest.is_none_or(|(known, _)| generation >= *known) {
                    log.claim = Some((generation, token));
                    log.outranked = None;
                } else {
                    log.outranked = Some(generation);
                }
            }
            Fact::TakeOver { token } => {
                if let Some(claim) = log.claim.as_mut().filter(|claim| claim.1 == token) {
                    claim.0 = i64::MIN;
                    log.outranked = None;
                }
            }
            Fact::Parked(token, entry) => {
                if token.is_none_or(|token| log.counts(&token)) && log.enters(&entry) {
                    log.open.insert(entry.id.offset, *entry);
                    self.open += 1;
                }
            }
            Fact::Failed {
                token,
                at,
                attempts,
                next,
                error,
            } => {
                if log.counts(&token)
                    && let Some(entry) = log.open.get_mut(&at)
                {
                    (entry.attempts, entry.next, entry.error) = (attempts, next, error);
                    // Whoever asked for another attempt has got it.
                    entry.asked = None;
                }
            }
            Fact::Done { token, at } => {
                if log.counts(&token) && log.finish(at) {
                    self.open -= 1;
                }
            }
            Fact::Asked { at, what } => {
                if let Some(entry) = log.open.get_mut(&at) {
                    entry.asked = Some(what);
                }
            }
        }
        if self.open > self.most {
            return Err(Error::msg(format!(
                "more than {} records are parked: narrow them by --topic",
                self.most
            )));
        }
        Ok(())
    }

    /// Claims that keep later ones of their group from counting. Where the group has committed from where on to read, it
    /// is the one that made the claim in force, and what does not count is a zombie's.
    pub(super) fn outranking(&self) -> impl Iterator<Item = InForce<'_>> {
        let claims = self.in_force();
        claims.filter(|claim| claim.outranked.is_some() && !claim.hinted)
    }

    /// The claims in force, but for those that were given up already.
    pub(super) fn in_force(&self) -> impl Iterator<Item = InForce<'_>> {
        self.logs.iter().filter_map(|((topic, partition), log)| {
            let (generation, token) = log.claim.as_ref()?;
            (*generation != i64::MIN).then_some(InForce {
                topic,
                partition: *partition,
                generation: *generation,
                token,
                outranked: log.outranked,
                hinted: log.hinted,
            })
        })
    }

    /// What waits, key by key: whose first record was parked longest ago comes first.
    pub(super) fn finish(self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for ((topic, partition), log) in self.logs {
            let mut known: BTreeMap<(Arc<str>, Arc<[u8]>), usize> = BTreeMap::new();
            for entry in log.open.into_values() {
                let place = entry.key.clone().map(|key| {
                    let next = lines.len();
                    *known
                        .entry((Arc::clone(&entry.handler), key))
                        .or_insert(next)
                });
                match place.and_then(|place| lines.get_mut(place)) {
                    Some(line) => line.entries.push(entry),
                    None => lines.push(Line {
                        topic: Arc::clone(&topic),
                        partition,
                        entries: vec![entry],
                    }),
                }
            }
        }
        lines.sort_by_key(|line| {
            line.entries
                .first()
                .map(|head| (head.since, head.id.clone()))
        });
        lines
    }
}

/// The claim in force in a parked log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InForce<'a> {
    /// The parked topic.
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) generation: i64,
    pub(super) token: &'a str,
    /// The generation of the latest claim that it keeps from counting.
    pub(super) outranked: Option<i64>,
    hinted: bool,
}

/// The records of a handler and a key, in order. A record without a key is alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The parked topic.
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    /// At least one.
    pub(super) entries: Vec<Entry>,
}

impl Line {
    pub(super) fn head(&self) -> &Entry {
        &self.entries[0]
    }

    pub(super) fn find(&self, id: &Place) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }
}
