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
        })
    }

    /// Counts one lane, until the share is dropped.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        self.lanes.fetch_add(1, Ordering::Relaxed);
        Share(Arc::clone(self))
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
}
