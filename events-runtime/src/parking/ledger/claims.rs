//! Who may append facts: whoever made the newest claim.

use super::{Claim, Identity, Ledger, Standing};

/// Generations take 31 bits. The bits above count the incarnations of a group, since the
/// generations of one that was deleted, expired or changed its protocol begin again. Earlier builds
/// compare the whole as one number, so that they come to the same order.
const INCARNATION: u32 = 32;
/// A group is deleted, expires or changes its protocol a few times in its life, so a claim of a later
/// incarnation is forged. Lanes can count up from every claim that counts.
const LAST_INCARNATION: i64 = 1 << 20;

/// Why a claim is refused that no member of the group can have made.
pub(crate) const FORGED: &str = "a claim of a generation that the group cannot have";

/// Whether a member of the group can have made the claim of the number `number` behind the one of the
/// number `newest`, which is in force. A function of the log alone: all who read it come to the same.
#[doc(hidden)]
pub fn is_possible(newest: Option<i64>, number: i64) -> bool {
    let (incarnation, generation) = (number >> INCARNATION, number & ((1 << INCARNATION) - 1));
    if number >= 0 && (generation > i64::from(i32::MAX) || incarnation > LAST_INCARNATION) {
        return false;
    }
    match newest {
        // A lane takes the incarnation of the claim in force, or counts it up by one.
        Some(newest @ 0..) => incarnation <= (newest >> INCARNATION) + 1,
        // The claim in force was given up, was made outside of a group, or is not known.
        _ => true,
    }
}

/// The number of a claim of `generation` in the incarnation of an earlier claim.
pub(crate) fn number_after(earlier: Option<&Claim>, generation: i64) -> i64 {
    let incarnation = earlier.map_or(0, |claim| claim.generation.max(0) >> INCARNATION);
    match generation {
        0.. => (incarnation << INCARNATION) | generation,
        _ => generation,
    }
}

/// The lowest number of a claim of `generation` that comes after the claim of the number `newest`;
/// none if there is none.
pub(crate) fn number_above(newest: i64, generation: i64) -> Option<i64> {
    let incarnation = newest.max(0) >> INCARNATION;
    let same = (incarnation << INCARNATION) | generation.max(0);
    match same > newest {
        true => Some(same),
        false if incarnation < LAST_INCARNATION => Some(same + (1 << INCARNATION)),
        false => None,
    }
}

/// A claim's number for people: the generation, and the incarnation if it is not the first.
pub(crate) fn shown(number: i64) -> String {
    match number >> INCARNATION {
        ..=0 => number.to_string(),
        incarnation => {
            let generation = number & ((1 << INCARNATION) - 1);
            format!("{generation} (incarnation {incarnation} of the group)")
        }
    }
}

impl<T> Ledger<T> {
    /// The lane owns the partition, as the group's coordinator has told since the claim was read
    /// that outranks its own: that claim is of an owner that is gone. Answers the number of the
    /// claim that the lane is to make now.
    pub(crate) fn overrule(&mut self, generation: i64) -> Option<i64> {
        let Standing::Outranked(newest) = self.standing else {
            return None;
        };
        let number = number_above(newest, generation)?;
        self.standing = Standing::Claiming;
        Some(number)
    }

    pub(super) fn claim(&mut self, offset: i64, claim: Claim) -> Result<(), &'static str> {
        let newest = self.claims.last();
        let number = newest.map(|(_, newest)| newest.generation);
        let fault = if !is_possible(number, claim.generation) {
            Some(FORGED)
        } else if number.is_some_and(|number| claim.generation < number) {
            Some("a claim of an older generation")
        } else {
            None
        };
        if let Some(fault) = fault {
            // Also where it is not possible any more: its claim was given up, and claims were made
            // that count from a lower incarnation.
            if claim.token == self.ours && self.standing == Standing::Claiming {
                self.standing = Standing::Outranked(number.unwrap_or(0));
            }
            return Err(fault);
        }
        if claim.token == self.ours {
            // A claim that was sent twice changes nothing, unless somebody came between the two.
            if self.standing == Standing::Claiming {
                self.standing = Standing::Owner;
                self.rebuilt_end = self.highest_origin();
            }
        } else if self.standing != Standing::Claiming {
            self.standing = Standing::Fenced(claim.generation);
        }
        let again = newest.is_some_and(|(_, newest)| newest.token == claim.token);
        self.put_in_force(offset, claim);
        // What an earlier lane appended stands below, and a later one found it there; behind a claim that was sent twice a copy
        // that was sent twice may follow. Claims may be many, so it is looked for only where much may be found.
        if !again && self.finished.len() > self.kept.saturating_mul(2) {
            self.forget(self.resumed_at, |_, _| false);
            self.kept = self.finished.len();
        }
        Ok(())
    }

    /// The claim is in force behind `offset`. Of claims between which nothing is known no more than the last is kept: a log is
    /// read from a record that is.
    fn put_in_force(&mut self, offset: i64, claim: Claim) {
        if let Some((before, _)) = self.claims.last() {
            let between = before.saturating_add(1).min(offset)..offset;
            if self.open.range(between.clone()).next().is_none()
                && self.finished.range(between).next().is_none()
            {
                self.claims.pop();
            }
        }
        self.claims.push((offset, claim));
    }

    /// The claim with that token, if it is in force, outranks no other any more. It was made in a group that is gone, so a
    /// lane that it outranked may claim the log anew.
    pub(super) fn forget_claim(&mut self, offset: i64, token: &str) -> Result<(), &'static str> {
        match self.claims.last() {
            Some((_, newest)) if newest.token == token => {
                let claim = Claim {
                    generation: i64::MIN,
                    token: newest.token.clone(),
                };
                // From here on: what was judged before stays so for whoever reads the log again.
                self.put_in_force(offset, claim);
            }
            _ => return Err("a word about a claim that is not in force"),
        }
        if matches!(self.standing, Standing::Outranked(_)) {
            self.standing = Standing::Claiming;
        }
        Ok(())
    }

    fn highest_origin(&self) -> i64 {
        let origins = self.copies.keys().filter_map(|identity| match identity {
            Identity::Origin(_, offset, _) => Some(offset.saturating_add(1)),
            Identity::Redrive(_) => None,
        });
        origins.max().unwrap_or(i64::MIN)
    }

    /// Whether a fact with that token counts here.
    pub(super) fn admit(&mut self, token: &str) -> Result<(), &'static str> {
        match self.claims.last() {
            Some((_, claim)) if claim.token == token => Ok(()),
            Some(_) => Err("a fact of a lane that has lost the partition"),
            None => {
                // Where the log begins without a claim, the first token seen counts, as if it had been claimed.
                let claim = Claim {
                    generation: -1,
                    token: token.to_owned(),
                };
                self.claims.push((i64::MIN, claim));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Fact, Item, Pair};
    use super::*;

    fn claim(generation: i64) -> Claim {
        Claim {
            generation,
            token: "a".to_owned(),
        }
    }

    #[test]
    fn claims_of_a_later_incarnation_come_after_all_of_earlier_ones() {
        assert_eq!(number_after(None, 7), 7);
        assert_eq!(number_after(Some(&claim(500)), 7), 7);
        let first = number_above(500, 1).unwrap();
        assert!(first > number_above(0, i64::from(i32::MAX)).unwrap());
        assert_eq!(number_after(Some(&claim(first)), 2), first + 1);
        assert_eq!(
            number_above(first, 2),
            Some(first + 1),
            "the same incarnation"
        );
        assert!(number_above(first + 9, 2).unwrap() > first + i64::from(u32::MAX));
        // Outside of a group, and what only a forged claim has.
        assert_eq!(number_after(Some(&claim(first)), -1), -1);
        assert_eq!(number_after(Some(&claim(-1)), 3), 3);
        assert_eq!(number_above(HIGHEST, 3), None);
        assert_eq!(shown(500), "500");
        assert_eq!(shown(first), "1 (incarnation 1 of the group)");
    }

    /// The highest number that counts.
    const HIGHEST: i64 = (LAST_INCARNATION << INCARNATION) | i32::MAX as i64;

    #[test]
    fn a_claim_that_the_group_cannot_have_made_is_refused() {
        let incarnation = |count: i64| count << INCARNATION;
        for known in [None, Some(i64::MIN), Some(-1)] {
            assert!(is_possible(known, HIGHEST));
            assert!(!is_possible(known, HIGHEST + 1));
        }
        for forged in [
            i64::MAX,
            i64::from(i32::MAX) + 1,
            incarnation(LAST_INCARNATION + 1),
            incarnation(5) | i64::from(u32::MAX),
        ] {
            assert!(!is_possible(None, forged), "{forged}");
            assert!(!is_possible(Some(forged), forged), "{forged}");
        }
        // One more than the claim in force, as a lane counts.
        for newest in [0, 7, incarnation(3) + 7] {
            assert!(is_possible(Some(newest), newest + 1));
            assert!(is_possible(Some(newest), number_above(newest, 1).unwrap()));
            assert!(!is_possible(Some(newest), newest + incarnation(2)));
        }
        assert!(is_possible(Some(7), -1), "it is older, no more");

        let claim = |generation, token: &str| {
            let token = token.to_owned();
            Fact::<()>::Claim(Claim { generation, token })
        };
        let mut ledger = Ledger::new(0, None, "a".to_owned(), Bounds::per_pair(100));
        let _ = ledger.read(0, claim(i64::MAX, "forged"));
        let _ = ledger.read(1, claim(4, "a"));
        for (offset, number) in (2..).zip([i64::MAX, HIGHEST, incarnation(2)]) {
            let read = ledger.read(offset, claim(number, "forged"));
            assert_eq!(read.unwrap_err(), FORGED);
            assert_eq!(*ledger.standing(), Standing::Owner);
        }
        // A lane whose own number is not possible any more asks who owns the partition.
        let mut ledger = Ledger::new(0, None, "a".to_owned(), Bounds::per_pair(100));
        let _ = ledger.read(0, claim(7, "b"));
        let _ = ledger.read(1, claim(incarnation(5), "a"));
        assert_eq!(*ledger.standing(), Standing::Outranked(7));
        assert_eq!(ledger.overrule(3), Some(incarnation(1) + 3));
    }

    #[test]
    fn behind_a_claim_that_was_sent_twice_a_copy_is_known() {
        let claim = |generation, token: &str| {
            let token = token.to_owned();
            Fact::Claim(Claim { generation, token })
        };
        let parked = || {
            let item = Item {
                identity: Identity::Origin(1, 9, 0),
                pair: Pair { handler: 1, key: 7 },
                redriven: None,
                runnable: true,
                attempts: 1,
                next: 0,
                error: None,
                size: 1,
                payload: (),
            };
            Fact::Parked("a".to_owned(), item)
        };
        let done = Fact::Done {
            token: "a".to_owned(),
            at: 1,
        };
        // The producer was lost: all was written, and was sent again.
        let log = [claim(1, "a"), parked(), done, claim(1, "a"), parked()];
        let bounds = Bounds::per_pair(100);
        let mut ledger = Ledger::new(0, None, "b".to_owned(), bounds).resumed_at(12);
        for (offset, fact) in log.into_iter().enumerate() {
            let _ = ledger.read(offset as i64, fact);
        }
        assert_eq!(ledger.len(), 0, "it is done");
    }
}
