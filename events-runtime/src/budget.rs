//! The memory that the lanes of a service may take together in a process (D7).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::Settings;

/// Divides [`Settings::process_bytes`] among the lanes that there are now. No lane waits for another: each has a share, in
/// which it may always have one batch.
#[derive(Debug)]
pub(crate) struct Budget {
    lanes: AtomicUsize,
    /// Bytes for all lanes.
    total: usize,
    /// Bytes that one lane takes at its bounds.
    each: usize,
    /// Bytes of parked records, over all lanes.
    parked: AtomicUsize,
    /// Bytes of them at which lanes stop to take records.
    most_parked: usize,
}

/// One lane's place in the budget.
#[derive(Debug)]
pub(crate) struct Share(Arc<Budget>);

impl Budget {
    pub(crate) fn of(settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            lanes: AtomicUsize::new(0),
            total: settings.process_bytes - settings.prefetch_bytes(),
            each: settings
                .lane_bytes
                .saturating_add(settings.lane_emission_bytes),
            parked: AtomicUsize::new(0),
            most_parked: settings.process_parked_bytes,
        })
    }

    /// Counts one lane, until the share is dropped.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        self.lanes.fetch_add(1, Ordering::Relaxed);
        Share(Arc::clone(self))
    }

    /// Of a lane that keeps parked records; it has none yet.
    pub(crate) fn parked(self: &Arc<Self>) -> ParkedShare {
        ParkedShare {
            budget: Arc::clone(self),
            own: 0,
        }
    }
}

impl Share {
    /// A lane's bound of bytes, made smaller in proportion if all lanes at their bounds would take more than they may.
    pub(crate) fn of(&self, bound: usize) -> usize {
        let Budget { total, each, .. } = *self.0;
        let all = each.saturating_mul(self.0.lanes.load(Ordering::Relaxed));
        if all <= total {
            return bound;
        }
        let share = bound as u128 * total as u128 / all as u128;
        usize::try_from(share).unwrap_or(bound).max(1)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one lane keeps of parked records, counted together with the other lanes of the process.
///
/// Unlike the rest it comes from a pool: what is parked waits for hours, and most lanes have nothing parked. A lane with less than
/// an equal part of the pool is not stopped by what others have.
#[derive(Debug)]
pub(crate) struct ParkedShare {
    budget: Arc<Budget>,
    own: usize,
}

impl ParkedShare {
    /// So many bytes are this lane's now.
    pub(crate) fn set(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.own, bytes);
        if bytes != before {
            self.budget.parked.fetch_add(bytes, Ordering::Relaxed);
            self.budget.parked.fetch_sub(before, Ordering::Relaxed);
        }
    }

    /// Whether the lanes have all that they may, and this one not less than an equal part.
    pub(crate) fn is_used_up(&self) -> bool {
        self.is_beyond(self.budget.most_parked)
    }

    /// Whether they have more than all lanes of a process write: so many times what they may park, and what was under way
    /// when they came to that.
    pub(crate) fn overflows(&self, times: usize) -> bool {
        let Budget {
            most_parked, total, ..
        } = *self.budget;
        self.is_beyond(most_parked.saturating_mul(times).saturating_add(total))
    }

    fn is_beyond(&self, bytes: usize) -> bool {
        let lanes = self.budget.lanes.load(Ordering::Relaxed).max(1);
        self.total() >= bytes && self.own >= (bytes / lanes).max(1)
    }

    /// Bytes up to which this lane takes redrives, `most` at most: all lanes together take them up to twice what they may park.
    pub(crate) fn room(&self, most: usize) -> usize {
        let free = self.budget.most_parked.saturating_mul(2);
        let free = free.saturating_sub(self.total());
        self.own.saturating_add(free).min(most)
    }

    /// Bytes that all lanes of the process keep.
    pub(crate) fn total(&self) -> usize {
        self.budget.parked.load(Ordering::Relaxed)
    }
}

impl Drop for ParkedShare {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_into_the_total_however_many_there_are() {
        let settings = Settings {
            process_bytes: 400,
            lane_bytes: 80,
            lane_emission_bytes: 20,
            ..Settings::default()
        };
        let budget = Budget::of(&settings);
        // A quarter is for what the client fetches ahead.
        let mut shares: Vec<_> = (0..3).map(|_| budget.share()).collect();
        assert_eq!((shares[0].of(80), shares[0].of(20)), (80, 20));
        shares.extend((3..30).map(|_| budget.share()));
        assert_eq!((shares[0].of(80), shares[0].of(20)), (8, 2));
        shares.extend((30..3_000).map(|_| budget.share()));
        assert_eq!((shares[0].of(80), shares[0].of(20)), (1, 1), "never none");
        shares.truncate(2);
        assert_eq!(shares[0].of(80), 80);
    }

    #[test]
    fn parked_records_share_a_pool_and_each_lane_has_its_part() {
        let settings = Settings {
            process_parked_bytes: 400,
            ..Settings::default()
        };
        let budget = Budget::of(&settings);
        let _lanes: Vec<_> = (0..4).map(|_| budget.share()).collect();
        let (mut large, mut small) = (budget.parked(), budget.parked());
        large.set(399);
        assert!(!large.is_used_up(), "the others have nothing");
        small.set(99);
        assert!(large.is_used_up());
        assert!(!small.is_used_up(), "a quarter is its own");
        small.set(100);
        assert!(small.is_used_up());
        assert_eq!((large.total(), large.room(10_000)), (499, 399 + 301));
        assert_eq!(large.room(500), 500);
        large.set(800);
        assert_eq!(small.room(10_000), 100, "nothing on top");
        assert!(!large.overflows(4));
        large.set(4 * 400 + settings.process_bytes);
        assert!(large.overflows(4) && !small.overflows(4));
        drop(large);
        assert!(!small.is_used_up());
        assert_eq!(small.total(), 100);
    }
}
