//! When the positions of a member are committed: at each tick, and earlier by the records that its lanes have done (D3).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Group, lock};
use crate::lane::shared::{Control, LaneShared};
use crate::transport::{Position, TopicPartition};

/// Counts what the lanes of one member do between two commits.
///
/// A commit is due at half of the bound, so that the other half is there for the time that it takes. At the whole bound lanes
/// take no more records: whoever commits may be late, and a kill of the member must repeat no more than that.
#[derive(Debug)]
pub(crate) struct CommitCount {
    bound: u64,
    done: AtomicU64,
    /// How many were done when the lanes were last asked for their positions.
    asked: AtomicU64,
    /// How many of them the positions cover that were taken.
    covered: AtomicU64,
    /// A lane waits for a commit.
    waits: AtomicBool,
    due: Notify,
    /// Lanes are asked by number, so that an answer to an earlier request is not taken for one to a later.
    requests: AtomicU64,
    answered: Notify,
}

impl CommitCount {
    pub(crate) fn new(bound: u64) -> Self {
        Self {
            bound,
            done: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            covered: AtomicU64::new(0),
            waits: AtomicBool::new(false),
            due: Notify::new(),
            requests: AtomicU64::new(0),
            answered: Notify::new(),
        }
    }

    /// A lane has done so many records since it last said so.
    pub(crate) fn add(&self, records: u64) {
        if records > 0 {
            self.done.fetch_add(records, Ordering::SeqCst);
            if self.is_due() {
                self.due.notify_one();
            }
        }
    }

    /// How many records a lane may take before a commit. At 0 it is woken once there is room again.
    pub(crate) fn room(&self) -> usize {
        if self.left() == 0 {
            // Before the second look, so that a commit in between is not missed.
            self.waits.store(true, Ordering::SeqCst);
        }
        usize::try_from(self.left()).unwrap_or(usize::MAX)
    }

    /// A lane has published the position that it was asked for.
    pub(crate) fn answer(&self) {
        self.answered.notify_one();
    }

    fn open(&self) -> u64 {
        let covered = self.covered.load(Ordering::SeqCst);
        self.done.load(Ordering::SeqCst).saturating_sub(covered)
    }

    fn left(&self) -> u64 {
        self.bound.saturating_sub(self.open())
    }

    fn is_due(&self) -> bool {
        self.open() >= self.bound.div_ceil(2)
    }

    fn ask(&self) -> u64 {
        let done = self.done.load(Ordering::SeqCst);
        self.asked.fetch_max(done, Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// What was done when the lanes were asked is on its way to the broker. Answers whether a lane waited for that.
    fn cover(&self) -> bool {
        let asked = self.asked.load(Ordering::SeqCst);
        self.covered.fetch_max(asked, Ordering::SeqCst);
        self.waits.swap(false, Ordering::SeqCst)
    }
}

impl Group {
    /// Waits until the member's lanes have done so many records since positions were last taken that a commit is due before
    /// its tick.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn commit_due(&self) {
        while !self.commits.is_due() {
            self.commits.due.notified().await;
        }
    }

    /// Asks every lane for its position and waits for the answers, `patience` at most: a lane whose handler blocks its
    /// thread does not answer. [`take_positions`](Self::take_positions) has them then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: positions that lanes answered are taken the next time.
    pub async fn gather_positions(&self, patience: Duration) {
        let request = self.commits.ask();
        let mut asked: Vec<_> = {
            let lanes = self.lanes();
            let running = lanes.values().filter(|lane| !lane.task.is_finished());
            running.map(|lane| Arc::clone(&lane.shared)).collect()
        };
        asked.extend(lock(&self.leaving).iter().map(|(_, lane)| Arc::clone(lane)));
        asked.iter().for_each(|lane| lane.ask_position(request));
        let answers = async {
            while asked.iter().any(|lane| !lane.has_answered(request)) {
                self.commits.answered.notified().await;
            }
        };
        // What the late ones do next counts as done before a commit that does not cover it, until the next one.
        let _ = tokio::time::timeout(patience, answers).await;
    }

    /// Positions that have changed since they were last taken: to be committed. Lanes that drain are among them.
    pub fn take_positions(&self) -> Vec<(TopicPartition, Position)> {
        let lanes = self.lanes();
        let draining = lock(&self.leaving);
        let running = lanes
            .iter()
            .map(|(partition, running)| (partition, &running.shared));
        // What is lost is another's to commit.
        let draining = draining
            .iter()
            .filter(|(_, lane)| lane.control() == Control::Drain)
            .map(|(partition, lane)| (partition, lane));
        let all: Vec<(&TopicPartition, &Arc<LaneShared>)> = running.chain(draining).collect();
        let waits = self.commits.cover();
        let changed = all.into_iter().filter_map(|(partition, lane)| {
            if waits {
                lane.wake.wake();
            }
            Some((partition.clone(), lane.take_position()?))
        });
        changed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_due_at_half_of_the_bound_and_lanes_wait_at_the_whole() {
        let count = CommitCount::new(100);
        count.add(49);
        assert!(!count.is_due() && count.room() == 51);
        count.add(1);
        assert!(count.is_due() && count.room() == 50);
        count.add(60);
        assert_eq!(count.room(), 0, "lanes that run side by side may pass it");
        count.ask();
        count.add(7);
        assert_eq!(count.room(), 0, "asked is not taken");
        assert!(count.cover(), "a lane waits");
        assert_eq!(count.room(), 93, "what was done since counts");
        assert!(!count.is_due() && !count.cover());
    }
}
