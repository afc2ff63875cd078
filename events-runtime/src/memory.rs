//! How much memory the records of a service may take in a process (D7).

use std::fmt;

use crate::settings::Settings;

/// The most that the records of a service take in one process while it has a number of lanes, by its
/// [`Settings`].
///
/// # Examples
///
/// ```
/// use events_runtime::{MemoryBound, Settings};
///
/// let bound = MemoryBound::of(&Settings::default(), 200);
/// assert!(bound.records <= Settings::default().process_bytes);
/// println!("{bound}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryBound {
    /// Lanes: partitions that the process may be assigned.
    pub lanes: usize,
    /// Bytes of records in flight and of emissions that are not acknowledged.
    pub records: usize,
    /// Bytes of records that the client has fetched ahead, of parked logs too.
    pub fetched: usize,
    /// Bytes of batches beside those: a batch is unpacked whole, and stays in memory as long as one of its records does. Each
    /// lane has one of which some records are done, and one that was fetched on top of the client's bounds.
    pub batches: usize,
    /// Bytes of bookkeeping: offsets that are not committed, and ids that tell duplicates apart.
    pub bookkeeping: usize,
    /// Bytes of parked records, if keys are parked: twice what lanes park, since redrives come beside it.
    pub parked: usize,
}

/// Bytes of a batch of records, unpacked: as much as the client's producers put in one. Others put more in only where they are
/// told to.
const BATCH: usize = 1 << 20;
/// Bytes that the client is let fetch ahead of a partition, however many there are.
const LEAST: usize = 128 << 10;
/// Bytes of an offset that is received and not committed.
pub(crate) const OFFSET: usize = 96;
/// Bytes of an id in the window of a lane: a hash, its place in a table, and what holds for one handler alone.
pub(crate) const ID: usize = 112;

impl MemoryBound {
    /// The bound for that many lanes.
    pub fn of(settings: &Settings, lanes: usize) -> Self {
        let lanes = lanes.max(1);
        let ahead = settings.prefetch_bytes();
        let least = lanes.saturating_mul(LEAST);
        let each = settings
            .lane_bytes
            .saturating_add(settings.lane_emission_bytes);
        let offsets = settings.lane_ahead.saturating_mul(OFFSET);
        let ids = settings.dedupe_window.saturating_mul(ID);
        let parks = settings.park.map_or(0, |_| lanes);
        let parked = settings.parked_bytes.saturating_mul(parks);
        Self {
            lanes,
            records: each
                .saturating_mul(lanes)
                .min(settings.process_bytes.saturating_sub(ahead)),
            fetched: match settings.park {
                Some(_) => ahead.max(least) + settings.parked_prefetch_bytes().max(least),
                None => ahead.max(least),
            },
            batches: lanes.saturating_mul(2 * BATCH),
            bookkeeping: offsets.saturating_add(ids).saturating_mul(lanes),
            parked: parked.min(settings.process_parked_bytes).saturating_mul(2),
        }
    }

    /// All of it together.
    pub fn total(&self) -> usize {
        let parts = [
            self.records,
            self.fetched,
            self.batches,
            self.bookkeeping,
            self.parked,
        ];
        parts.into_iter().fold(0, usize::saturating_add)
    }
}

impl fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes.div_ceil(1 << 20);
        write!(
            f,
            "with {} lane{} records take at most {} MiB: {} in flight and not acknowledged, {} fetched ahead, {} of batches that stay whole, {} of offsets and ids, {} parked",
            self.lanes,
            if self.lanes == 1 { "" } else { "s" },
            mib(self.total()),
            mib(self.records),
            mib(self.fetched),
            mib(self.batches),
            mib(self.bookkeeping),
            mib(self.parked)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_bounded_for_the_process_and_the_rest_for_each_lane() {
        let settings = Settings::default();
        let few = MemoryBound::of(&settings, 2);
        assert_eq!(few.records, (2 * (16 + 3)) << 20);
        let many = MemoryBound::of(&settings, 200);
        let parked_logs = settings.parked_prefetch_bytes();
        assert_eq!(
            many.records + many.fetched,
            settings.process_bytes + parked_logs
        );
        assert_eq!(many.batches, 100 * few.batches);
        assert_eq!(few.parked, 2 * 2 * settings.parked_bytes);
        assert_eq!(many.parked, 2 * settings.process_parked_bytes);
        assert_eq!(many.bookkeeping, 100 * few.bookkeeping);
        let unparked = Settings {
            park: None,
            ..settings
        };
        assert_eq!(MemoryBound::of(&unparked, 200).parked, 0);
        assert!(few.to_string().contains("with 2 lanes"));
    }
}
