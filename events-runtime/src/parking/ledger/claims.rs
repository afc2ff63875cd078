//! Who may append facts: whoever made the newest claim.

use super::{Claim, Identity, Ledger, Standing};

/// Generations take 31 bits. The bits above count the incarnations of a group, since the
/// generations of one that was deleted, expired or changed its protocol begin again. Earlier builds
/// compare the whole as one number, so that they come to the same order.
const INCARNATION: u32 = 32;
const LAST_INCARNATION: i64 = i32::MAX as i64;

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
        if newest.is_some_and(|(_, newest)| claim.generation < newest.generation) {
            if claim.token == self.ours && self.standing == Standing::Claiming {
                let newest = newest.map_or(0, |(_, claim)| claim.generation);
                self.standing = Standing::Outranked(newest);
            }
            return Err("a claim of an older generation");
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
        assert_eq!(number_above(i64::MAX, 3), None);
        assert_eq!(shown(500), "500");
        assert_eq!(shown(first), "1 (incarnation 1 of the group)");
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
