//! Who may append facts: whoever made the newest claim.

use super::{Claim, Identity, Ledger, Standing};

impl<T> Ledger<T> {
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
        self.put_in_force(offset, claim);
        // What an earlier lane appended stands below, and a later one found it there. Claims may be many, so it is looked for
        // only where much may be found.
        if self.finished.len() > self.kept.saturating_mul(2) {
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
