//! How much may be redriven: what lanes keep of parked records in memory is bounded, and they read whatever is asked of
//! them, so whoever asks keeps to the bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events_core::{Error, Result};

use super::plan::{Plan, Target};
use crate::cli::parked;
use crate::cli::site::Site;

/// The room that parked logs had when they were looked at, less what was asked for since.
pub(super) struct Room {
    /// By parked topic: the records and bytes that a lane may have.
    most: BTreeMap<Arc<str>, (usize, usize)>,
    logs: BTreeMap<(Arc<str>, i32), Log>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log {
    records: usize,
    bytes: usize,
    /// Something was asked for since it was looked at.
    used: bool,
    /// It had no room: what comes later of a key must not pass what stays.
    full: bool,
}

impl Log {
    /// With room for what `most` allows beside what is `waiting`.
    fn new(most: (usize, usize), waiting: (usize, usize)) -> Self {
        Self {
            records: most.0.saturating_sub(waiting.0),
            bytes: most.1.saturating_sub(waiting.1),
            used: false,
            full: false,
        }
    }

    fn take(&mut self, size: usize) -> bool {
        let fits = !self.full && self.records > 0 && self.bytes >= size;
        if fits {
            self.records -= 1;
            self.bytes -= size;
            self.used = true;
        }
        fits
    }
}

impl Room {
    pub(super) async fn look(site: &Site, plan: &Plan) -> Result<Self> {
        let mut most = BTreeMap::new();
        for (_, target) in &plan.redriven {
            if !most.contains_key(&target.parked) {
                let (group, _) = site.handler(&target.handler).map_err(Error::msg)?;
                let settings = &group.plan.settings;
                let bounds = (settings.parked_records, settings.parked_bytes);
                most.insert(Arc::clone(&target.parked), bounds);
            }
        }
        let places = plan.redriven.iter().map(|(_, target)| place(target));
        let places: BTreeSet<_> = places.collect();
        let mut room = Self {
            most,
            logs: BTreeMap::new(),
        };
        for (topic, partition) in places {
            room.logs
                .insert((topic, partition), Log::new((0, 0), (0, 0)));
        }
        for topic in room.most.keys().cloned().collect::<Vec<_>>() {
            room.look_at(site, &topic).await?;
        }
        Ok(room)
    }

    async fn look_at(&mut self, site: &Site, topic: &Arc<str>) -> Result<()> {
        let waiting = parked::waiting(site, topic).await?;
        let most = self.most.get(topic).copied().unwrap_or_default();
        for ((known, partition), log) in &mut self.logs {
            if known == topic && !log.full {
                *log = Log::new(most, waiting.get(partition).copied().unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Takes the room for a record for which the lane keeps so many bytes, if there is any.
    pub(super) fn take(&mut self, target: &Target, size: usize) -> bool {
        let log = self.logs.get_mut(&place(target));
        log.is_some_and(|log| log.take(size))
    }

    /// Whether another look may find room: something was asked for since the last, and may be done by now.
    pub(super) fn may_have_changed(&self, target: &Target) -> bool {
        let log = self.logs.get(&place(target));
        log.is_some_and(|log| log.used && !log.full)
    }

    /// The same, after another look. If there is none now, nothing fits any more.
    pub(super) async fn take_later(
        &mut self,
        site: &Site,
        target: &Target,
        size: usize,
    ) -> Result<bool> {
        if self.may_have_changed(target) {
            self.look_at(site, &target.parked).await?;
        }
        let fits = self.take(target, size);
        if let Some(log) = self.logs.get_mut(&place(target)) {
            log.full |= !fits;
        }
        Ok(fits)
    }

    /// Why a letter stays that found none.
    pub(super) fn refusal(&self, target: &Target) -> String {
        let (records, bytes) = self.most.get(&target.parked).copied().unwrap_or_default();
        format!(
            "as much waits in {}/{} as its lane may park, {records} records or {bytes} bytes: redrive it once some of that is done",
            target.parked, target.origin.partition
        )
    }
}

fn place(target: &Target) -> (Arc<str>, i32) {
    (Arc::clone(&target.parked), target.origin.partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_asked_for_than_a_lane_may_park() {
        let mut log = Log::new((5, 1_000), (3, 100));
        assert!(log.take(500) && log.take(400));
        assert!(!log.take(0), "five records");
        let mut log = Log::new((5, 1_000), (3, 100));
        assert!(!log.take(901), "a thousand bytes");
        assert!(log.take(900));
        let mut log = Log::new((5, 1_000), (9, 9_000));
        assert!(!log.take(0));
        log.full = true;
        log.records = 5;
        assert!(!log.take(0), "what comes later stays behind what stays");
    }
}
