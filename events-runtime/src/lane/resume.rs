//! What was done above the watermark before this assignment, until the lane has received all of it.

use crate::lane::Lane;
use crate::offset_map::Run;
use crate::transport::Queue;

impl<Q: Queue> Lane<Q> {
    /// What a handler has done above the watermark. Behind what was received here stands what the map says that the
    /// lane began with: a lane that is lost before it got so far must not take that with it.
    pub(super) fn runs(&self, handler: usize) -> Vec<Run> {
        let takes: Vec<bool> = {
            let types = self.context.topic.types.iter();
            types.map(|plan| {
                plan.handlers
                    .iter()
                    .any(|taker| usize::from(*taker) == handler)
            })
        }
        .collect();
        let mut runs = self.ring.runs(handler, |event| takes[usize::from(event)]);
        for run in self.resumed(handler) {
            match runs.last_mut() {
                Some(last) if last.1 == run.0 => last.1 = run.1,
                _ => runs.push(run),
            }
        }
        runs
    }

    /// What the map that the lane began with says of a handler behind what was received here.
    pub(super) fn resumed(&self, handler: usize) -> Vec<Run> {
        let Some((map, _)) = &self.resume else {
            return Vec::new();
        };
        map.runs_from(self.context.topic.handlers[handler].hash, self.ring.end())
    }
}
