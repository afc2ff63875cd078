//! What was done above the watermark before this assignment, until the lane has received all of it.

use crate::lane::Lane;
use crate::offset_map::{self, Run};
use crate::transport::Queue;

impl<Q: Queue> Lane<Q> {
    /// What a handler has done above the watermark. Behind what was received here stands what the map says that the
    /// lane began with: a lane that is lost before it got so far must not take that with it.
    pub(super) fn runs(&self, handler: usize) -> Vec<Run> {
        let mut runs = self.ring.runs(handler);
        for run in self.resumed(handler) {
            match runs.last_mut() {
                Some(last) if last.1 == run.0 => last.1 = run.1,
                _ => runs.push(run),
            }
        }
        runs
    }

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
        if self.in_flight == 0 && more == 1 {
            // It fitted before this assignment, and no record would ever come if it stayed at its bound.
            return true;
        }
        let end = self.resume.as_ref().map_or(0, |(_, end)| *end);
        let resumed = u64::try_from(end - self.ring.watermark()).unwrap_or(0);
        let open = self.open.iter().enumerate();
        offset_map::fits(
            resumed.max(self.ring.span() + more),
            open.map(|(handler, open)| open + self.resumed(handler).len() as u64),
            more,
        )
    }

    fn resumed(&self, handler: usize) -> Vec<Run> {
        let Some((map, _)) = &self.resume else {
            return Vec::new();
        };
        map.runs_from(self.context.topic.handlers[handler].hash, self.ring.end())
    }
}
