//! From where on the log must be read to come to the same state.

use super::{Claim, Identity, Ledger, Pair, Standing};

impl<T> Ledger<T> {
    /// Lets go of finished records that nobody will ask for again, also above the oldest open one, which may stay for long:
    /// the source, of which everything below `watermark` is done, does not bring them again, they stand in the log once, and
    /// no copy of them is `on_its_way`, by pair and offset in the source.
    pub(crate) fn forget(&mut self, watermark: i64, on_its_way: impl Fn(Pair, i64) -> bool) {
        let copies = &mut self.copies;
        self.finished.retain(|offset, finished| {
            let origin = match finished.identity {
                Identity::Origin(_, origin, _) => origin,
                // Its id stays known.
                Identity::Redrive(_) => return finished.last_copy != *offset,
            };
            let kept = origin >= watermark
                || finished.last_copy != *offset
                || on_its_way(finished.pair, origin);
            if !kept {
                copies.remove(&finished.identity);
            }
            kept
        });
    }

    /// While the log is rebuilt, what is remembered of finished records does not grow with the log: of those that the source
    /// does not bring again, and behind which no copy can stand any more, nothing is kept.
    pub(super) fn forget_rebuilt(&mut self) {
        let within = self.bounds.copies_within;
        if self.standing == Standing::Owner
            || self.finished.len() <= self.kept.saturating_mul(2).saturating_add(within)
        {
            return;
        }
        let within = i64::try_from(within).unwrap_or(i64::MAX);
        let near = self.position.saturating_sub(within);
        let resumed_at = self.resumed_at;
        let copies = &mut self.copies;
        self.finished.retain(|offset, finished| {
            let kept = finished.last_copy != *offset
                || *offset >= near
                || matches!(finished.identity, Identity::Origin(_, origin, _) if origin >= resumed_at);
            if !kept && matches!(finished.identity, Identity::Origin(..)) {
                copies.remove(&finished.identity);
            }
            kept
        });
        self.kept = self.finished.len();
    }

    /// The first offset that matters once the source's `watermark` is committed, and the claim in force there. `parked`
    /// tells whether a pair has not been released: then copies of its records may be on their way.
    ///
    /// What lies below is forgotten, so it must be committed together with `watermark`, or not at all.
    pub(crate) fn hint(
        &mut self,
        watermark: i64,
        parked: impl Fn(Pair) -> bool,
    ) -> (i64, Option<Claim>) {
        let mut hint = self.open.keys().next().copied().unwrap_or(self.position);
        for (offset, finished) in self.finished.range(..hint).rev() {
            let comes_again = match finished.identity {
                Identity::Origin(_, origin, _) => origin >= watermark,
                Identity::Redrive(_) => false,
            };
            // A later copy of it must not be taken for the first.
            if comes_again || finished.last_copy >= hint || parked(finished.pair) {
                hint = *offset;
            }
        }
        let kept = self.finished.split_off(&hint);
        for finished in std::mem::replace(&mut self.finished, kept).into_values() {
            if matches!(finished.identity, Identity::Origin(..)) {
                self.copies.remove(&finished.identity);
            }
        }
        let in_force = self.claims.partition_point(|(offset, _)| *offset < hint);
        self.claims.drain(..in_force.saturating_sub(1));
        let claim = self.claims.first().filter(|(offset, _)| *offset < hint);
        (hint, claim.map(|(_, claim)| claim.clone()))
    }
}
