//! How far a lane may read ahead of its watermark, so that the offset map stays within its metadata (D3).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::lane::Lane;
use crate::lane::context::LaneContext;
use crate::offset_map;
use crate::transport::Queue;

/// Offsets that the records of one batch may leave out without a second look at the bound.
const SLACK: u64 = 64;
/// Records that the bound must leave room for, far ahead of the watermark, or it is not kept: so many handlers take the
/// topic's records that a lane would stand still.
const LEAST: u64 = 8;
/// A distance from the watermark beyond those that occur.
const FAR: u64 = 1 << 40;
/// How long the bound alone may keep a lane from taking records. Then it goes on, and the map may become too large for its
/// metadata: that costs repeated work after a kill, while a lane that stands still serves no key.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bound of a lane's offset map.
pub(super) struct MapBound<R> {
    /// Most handlers that take one record.
    widest: u64,
    /// Whether the bound is kept at all.
    kept: bool,
    /// Since when it has left room for no record.
    full_since: Option<Instant>,
    /// It did so for too long.
    beyond: bool,
    /// The bound was computed for records below this offset.
    sure_below: i64,
    /// Records behind a gap in the log that the bound had not reckoned with.
    waiting: VecDeque<R>,
}

impl<R> MapBound<R> {
    pub(super) fn new(context: &LaneContext) -> Self {
        let topic = &context.topic;
        let types = topic.types.iter();
        let widest = types.map(|plan| plan.handlers.len()).max().unwrap_or(0) as u64;
        let open = topic.handlers.iter().map(|_| 0);
        Self {
            widest,
            kept: offset_map::fits(FAR, open, LEAST, widest),
            full_since: None,
            beyond: false,
            sure_below: 0,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_sure(&self, offset: i64) -> bool {
        offset < self.sure_below
    }

    /// These records must wait until the map has room for them.
    pub(super) fn wait(&mut self, records: impl Iterator<Item = R>) {
        self.waiting.extend(records);
    }

    pub(super) fn take_waiting(&mut self) -> VecDeque<R> {
        std::mem::take(&mut self.waiting)
    }
}

impl<Q: Queue> Lane<Q> {
    /// How many of `most` records may be dispatched with the map sure to fit.
    pub(super) fn map_room(&self, most: u64) -> u64 {
        if self.map_fits(most) {
            return most;
        }
        let (mut fits, mut too_many) = (0, most);
        while fits + 1 < too_many {
            let some = fits.midpoint(too_many);
            match self.map_fits(some) {
                true => fits = some,
                false => too_many = some,
            }
        }
        fits
    }

    /// Whether the map is sure to fit once `more` records have been dispatched.
    fn map_fits(&self, more: u64) -> bool {
        // It fitted before this assignment, and no record would ever come if it stayed at its bound.
        let alone = self.in_flight == 0 && more == 1;
        alone || self.map_fits_to(self.ring.end().saturating_add_unsigned(more), more)
    }

    /// The same, for records below `end` in the log.
    fn map_fits_to(&self, end: i64, more: u64) -> bool {
        if !self.map_bound.kept || self.map_bound.beyond {
            return true;
        }
        let resumed = self.resume.as_ref().map_or(0, |(_, end)| *end);
        let span = end.max(resumed).saturating_sub(self.ring.watermark());
        let open = self.open.iter().enumerate();
        offset_map::fits(
            u64::try_from(span).unwrap_or(0).saturating_add(SLACK),
            open.map(|(handler, open)| open + self.resumed(handler).len() as u64),
            more,
            self.map_bound.widest,
        )
    }

    /// So many records are about to be taken.
    pub(super) fn reckon_with(&mut self, more: u64) {
        let end = self.ring.end().saturating_add_unsigned(more + SLACK);
        self.map_bound.sure_below = end;
    }

    /// Whether the record at `offset` and `more` behind it may be dispatched, though the log leaves out more than was
    /// reckoned with.
    #[cold]
    pub(super) fn passes_gap(&mut self, offset: i64, more: u64) -> bool {
        let passes = self.ring.len() == 0
            || self.map_fits_to(offset.saturating_add_unsigned(more + 1), more + 1);
        if passes {
            let end = offset.saturating_add_unsigned(more + 1 + SLACK);
            self.map_bound.sure_below = end;
        }
        passes
    }

    /// Looks at each commit tick whether the bound alone has kept the lane waiting for too long. Answers whether it may go on
    /// now.
    pub(super) fn look_at_map_bound(&mut self) -> bool {
        let before = std::mem::take(&mut self.map_bound.beyond);
        let full = self.map_bound.has_waiting() || self.map_room(1) == 0;
        let since = full.then(|| self.map_bound.full_since.unwrap_or_else(Instant::now));
        let beyond = since.is_some_and(|since| since.elapsed() >= PATIENCE);
        self.map_bound.full_since = since;
        self.map_bound.beyond = beyond;
        beyond && !before
    }
}
