//! What a parked log says (design §7): only facts of the lane that owned its partition when they were appended count.

use std::collections::{BTreeMap, BTreeSet};

use events_runtime::parked_header as pk;

use crate::topics::Found;

/// A parked log, read from its begin.
#[derive(Debug, Default)]
pub(crate) struct ParkedLog<'a> {
    /// What was parked, by facts that count.
    pub(crate) parked: Vec<&'a Found>,
    /// What a lane parked after its partition was another's.
    pub(crate) late: Vec<&'a Found>,
    /// What a redrive was asked for, by letter.
    pub(crate) redriven: BTreeSet<&'a str>,
    /// What is not done, with its partition.
    open: BTreeMap<Identity<'a>, i32>,
}

/// The letter of a redriven record, or handler, partition and offset of a record.
type Identity<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The newest claim on a partition: generation and token.
type Claim<'a> = (i64, &'a str);

impl<'a> ParkedLog<'a> {
    pub(crate) fn of(facts: &'a [Found]) -> Self {
        let mut log = Self::default();
        let mut claims: BTreeMap<i32, Claim<'a>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for fact in facts {
            let token = fact.header(pk::TOKEN);
            match fact.header(pk::FACT) {
                "claim" => {
                    let generation = fact.header(pk::GENERATION).parse().unwrap_or(-1);
                    let newest = claims.get(&fact.partition);
                    if newest.is_none_or(|(newest, _)| *newest <= generation) {
                        claims.insert(fact.partition, (generation, token));
                    }
                }
                "action" => match fact.header(pk::ACTION) {
                    "redrive" => {
                        log.redriven.insert(fact.header(pk::REDRIVE));
                        if known.insert(identity(fact)) {
                            log.open.insert(identity(fact), fact.partition);
                        }
                    }
                    "take-over" => {
                        let newest = claims.get_mut(&fact.partition);
                        if let Some(newest) = newest.filter(|(_, newest)| *newest == token) {
                            newest.0 = i64::MIN;
                        }
                    }
                    _ => {}
                },
                "parked" => match counts(&mut claims, fact.partition, token) {
                    true => {
                        log.parked.push(fact);
                        if known.insert(identity(fact)) {
                            log.open.insert(identity(fact), fact.partition);
                        }
                    }
                    false => log.late.push(fact),
                },
                "done" if counts(&mut claims, fact.partition, token) => {
                    log.open.remove(&identity(fact));
                }
                _ => {}
            }
        }
        log
    }

    /// Records that are not done, in partitions that fit.
    pub(crate) fn open(&self, fits: impl Fn(i32) -> bool) -> usize {
        let fitting = self.open.values().filter(|partition| fits(**partition));
        fitting.count()
    }
}

/// Whether a fact with that token counts. Where a log begins without a claim its first token is one.
fn counts<'a>(claims: &mut BTreeMap<i32, Claim<'a>>, partition: i32, token: &'a str) -> bool {
    claims.entry(partition).or_insert((-1, token)).1 == token
}

fn identity(fact: &Found) -> Identity<'_> {
    match fact.header(pk::REDRIVE) {
        "" => (
            "",
            fact.header(pk::HANDLER),
            fact.header(pk::PARTITION),
            fact.header(pk::OFFSET),
        ),
        letter => (letter, "", "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(kind: &str, token: &str) -> Found {
        Found::default().with(pk::FACT, kind).with(pk::TOKEN, token)
    }

    fn about(kind: &str, token: &str, offset: &str) -> Found {
        fact(kind, token).with(pk::OFFSET, offset)
    }

    fn claim(token: &str, generation: &str) -> Found {
        fact("claim", token).with(pk::GENERATION, generation)
    }

    #[test]
    fn what_counts_carries_the_token_of_the_newest_claim() {
        let facts = [
            claim("a", "1"),
            about("parked", "a", "7"),
            claim("b", "2"),
            claim("a", "1"),
            about("parked", "a", "8"),
            about("done", "a", "7"),
            about("parked", "b", "9"),
        ];
        let log = ParkedLog::of(&facts);
        assert_eq!((log.parked.len(), log.late.len()), (2, 1));
        assert_eq!(log.open(|_| true), 2);
        assert_eq!(log.open(|partition| partition > 0), 0);
        let mut facts = facts.to_vec();
        facts.push(about("done", "b", "7"));
        facts.push(fact("action", "b").with(pk::ACTION, "take-over"));
        facts.push(claim("c", "0"));
        facts.push(about("done", "c", "9"));
        assert_eq!(ParkedLog::of(&facts).open(|_| true), 0);
    }

    #[test]
    fn a_redrive_is_known_by_its_letter() {
        let redrive = fact("action", "").with(pk::ACTION, "redrive");
        let redrive = redrive.with(pk::REDRIVE, "letters/0/1");
        let done = about("done", "a", "7").with(pk::REDRIVE, "letters/0/1");
        let facts = [claim("a", "1"), redrive.clone(), done, redrive];
        let log = ParkedLog::of(&facts);
        assert_eq!((log.redriven.len(), log.open(|_| true)), (1, 0));
        assert_eq!(ParkedLog::of(&facts[..2]).open(|_| true), 1);
    }
}
