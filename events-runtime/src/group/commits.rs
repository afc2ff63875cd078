//! When the positions of a member are committed: at each tick, and earlier by the records that its lanes have done (D3).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Group, lock};
use crate::lane::shared::{Control, LaneShared};
use crate::transport::{Position, TopicPartition};

/// Most attempts that a lane reserves at a time, and the share of what is left that it reserves at most.
const RESERVED: u64 = 64;
const SHARE: u64 = 16;

/// Counts what a kill of the member would repeat: attempts that the lanes have begun and that no acknowledged commit covers.
///
/// A commit is due at a quarter of the bound, so that the rest is there for the time until the broker has answered it. At the
/// whole bound no lane begins an attempt, whatever the rate. No commit covers attempts under way and records whose emissions are
/// not acknowledged, and a partition that stands still must not stop the others (D6): so attempts under way count for half of
/// the bound at most, and emissions of a lane no more once the oldest of them has waited for long.
#[derive(Debug)]
pub(crate) struct CommitCount {
    bound: u64,
    /// What counts against the bound: what is done and not covered, and what lanes have reserved or open.
    used: AtomicU64,
    /// Attempts under way, of all lanes.
    running: AtomicU64,
    /// Records whose emissions are not acknowledged, of lanes in which the oldest waits for long.
    stuck: AtomicU64,
    done: AtomicU64,
    /// How many were done when the lanes were last asked for their positions.
    asked: AtomicU64,
    /// How many of them the positions cover that were taken last.
    taken: AtomicU64,
    /// How many of them acknowledged commits cover.
    covered: AtomicU64,
    /// A slot waits until there is room.
    waits: AtomicBool,
    waiting: Mutex<Waiting>,
    due: Notify,
    /// Lanes are asked by number, so that an answer to an earlier request is not taken for one to a later.
    requests: AtomicU64,
    answered: Notify,
}

/// What a lane has in hand that no commit covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// Attempts under way.
    pub(crate) running: u64,
    /// Records whose emissions are not acknowledged.
    pub(crate) unacknowledged: u64,
    /// The oldest of these waits for long.
    pub(crate) stuck: bool,
}

impl Open {
    pub(crate) fn all(self) -> u64 {
        self.running + self.unacknowledged
    }

    fn stuck(self) -> u64 {
        match self.stuck {
            true => self.unacknowledged,
            false => 0,
        }
    }
}

/// Slots that wait until attempts may begin.
#[derive(Debug)]
struct Waiting {
    /// Counts how often they were woken.
    round: u64,
    wakers: Vec<Waker>,
}

impl CommitCount {
    pub(crate) fn new(bound: u64) -> Self {
        Self {
            bound,
            used: AtomicU64::new(0),
            running: AtomicU64::new(0),
            stuck: AtomicU64::new(0),
            done: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            covered: AtomicU64::new(0),
            waits: AtomicBool::new(false),
            waiting: Mutex::new(Waiting {
                round: 1,
                wakers: Vec::new(),
            }),
            due: Notify::new(),
            requests: AtomicU64::new(0),
            answered: Notify::new(),
        }
    }

    /// Reserves some attempts; none at the bound.
    pub(crate) fn reserve(&self) -> u64 {
        let mut reserved = 0;
        let _ = self
            .used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
                let left = self.limit().saturating_sub(used);
                reserved = left.div_ceil(SHARE).min(RESERVED);
                (reserved > 0).then(|| used + reserved)
            });
        reserved
    }

    /// A lane has done so many records since it last said so, of which it had not reserved `beyond`.
    pub(crate) fn add(&self, records: u64, beyond: u64) {
        self.used.fetch_add(beyond, Ordering::SeqCst);
        self.done.fetch_add(records, Ordering::SeqCst);
        if self.is_due() {
            self.due.notify_one();
        }
    }

    /// A lane that had reserved `reserved`, and had `before` open, has `open` now, and reserves as many.
    pub(crate) fn settle(&self, reserved: u64, before: Open, open: Open) {
        self.running.fetch_add(open.running, Ordering::SeqCst);
        self.running.fetch_sub(before.running, Ordering::SeqCst);
        self.stuck.fetch_add(open.stuck(), Ordering::SeqCst);
        self.stuck.fetch_sub(before.stuck(), Ordering::SeqCst);
        self.used.fetch_add(open.all(), Ordering::SeqCst);
        self.used.fetch_sub(reserved, Ordering::SeqCst);
        if open.running > before.running || open.stuck() > before.stuck() || open.all() < reserved {
            self.wake_waiting();
        }
    }

    /// Wakes a slot once attempts may begin. `known` is what the slot was answered when it last waited.
    pub(crate) fn wait(&self, waker: &Waker, known: u64) -> u64 {
        let round = {
            let mut waiting = self.waiting();
            if waiting.round != known {
                waiting.wakers.push(waker.clone());
            }
            waiting.round
        };
        self.waits.store(true, Ordering::SeqCst);
        // After that, so that room that was made in between is not missed.
        if self.limit() > self.used.load(Ordering::SeqCst) {
            self.wake_waiting();
        }
        round
    }

    /// Whether attempts wait for a commit.
    pub(crate) fn is_full(&self) -> bool {
        self.used.load(Ordering::SeqCst) >= self.limit()
    }

    /// A lane has published the position that it was asked for.
    pub(crate) fn answer(&self) {
        self.answered.notify_one();
    }

    fn limit(&self) -> u64 {
        let running = self.running.load(Ordering::SeqCst);
        let beyond = running.saturating_sub(self.bound / 2);
        let stuck = self.stuck.load(Ordering::SeqCst);
        self.bound.saturating_add(beyond).saturating_add(stuck)
    }

    fn is_due(&self) -> bool {
        let covered = self.covered.load(Ordering::SeqCst);
        let done = self.done.load(Ordering::SeqCst);
        done.saturating_sub(covered) >= self.bound.div_ceil(4)
    }

    fn ask(&self) -> u64 {
        let done = self.done.load(Ordering::SeqCst);
        self.asked.fetch_max(done, Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn take(&self) {
        let asked = self.asked.load(Ordering::SeqCst);
        self.taken.store(asked, Ordering::SeqCst);
    }

    fn acknowledge(&self) {
        let taken = self.taken.load(Ordering::SeqCst);
        let before = self.covered.fetch_max(taken, Ordering::SeqCst);
        self.used
            .fetch_sub(taken.saturating_sub(before), Ordering::SeqCst);
        self.wake_waiting();
    }

    fn wake_waiting(&self) {
        if self.waits.swap(false, Ordering::SeqCst) {
            let wakers = {
                let mut waiting = self.waiting();
                waiting.round += 1;
                std::mem::take(&mut waiting.wakers)
            };
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No code of users runs under this lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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
    ///
    /// Once the broker has acknowledged their commit, and also if there are none,
    /// [`acknowledge_positions`](Self::acknowledge_positions) is to be called, or the lanes stop at the bound.
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
        self.commits.take();
        let changed = all
            .into_iter()
            .filter_map(|(partition, lane)| Some((partition.clone(), lane.take_position()?)));
        changed.collect()
    }

    /// The broker has acknowledged the commit of the positions that were taken last: lanes may begin as much again.
    ///
    /// # Delivery
    ///
    /// A kill of the member repeats at most [`commit_records`](crate::Settings::commit_records), since no lane begins more
    /// before this is called (D3).
    pub fn acknowledge_positions(&self) {
        self.commits.acknowledge();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    /// Reserves one after the other until there is no room.
    fn fill(count: &CommitCount) -> u64 {
        std::iter::from_fn(|| Some(count.reserve()).filter(|reserved| *reserved > 0)).sum()
    }

    #[test]
    fn a_commit_is_due_at_a_quarter_of_the_bound_and_no_attempt_begins_beyond_the_whole() {
        let count = CommitCount::new(100);
        assert_eq!(fill(&count), 100);
        count.add(24, 0);
        assert!(!count.is_due());
        count.add(76, 0);
        assert!(count.is_due() && count.is_full());
        count.ask();
        count.take();
        assert_eq!(fill(&count), 0, "what was taken is not acknowledged");
        count.ask();
        count.acknowledge();
        assert_eq!(fill(&count), 100);
        assert!(!count.is_due());
        count.add(60, 0);
        count.acknowledge();
        assert_eq!(fill(&count), 0, "what was done since counts");
    }

    #[test]
    fn what_no_commit_covers_leaves_half_of_the_bound() {
        let count = CommitCount::new(100);
        let many = open(1_000, 0, false);
        count.settle(0, Open::default(), many);
        assert_eq!(fill(&count), 50);
        count.settle(1_050, many, open(30, 0, false));
        assert_eq!(fill(&count), 70);
    }

    #[test]
    fn emissions_count_until_they_are_stuck() {
        let count = CommitCount::new(100);
        let sent = open(0, 80, false);
        count.settle(0, Open::default(), sent);
        assert_eq!(fill(&count), 20);
        let stuck = open(0, 80, true);
        count.settle(80, sent, stuck);
        assert_eq!(fill(&count), 80);
        count.settle(160, stuck, open(0, 10, true));
        assert_eq!(fill(&count), 80);
    }

    fn open(running: u64, unacknowledged: u64, stuck: bool) -> Open {
        Open {
            running,
            unacknowledged,
            stuck,
        }
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn slots_that_wait_are_woken_by_whatever_makes_room() {
        let count = CommitCount::new(100);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let times = || woken.0.load(Ordering::SeqCst);
        count.wait(&waker, 0);
        assert_eq!(times(), 1, "there is room");
        assert_eq!(fill(&count), 100);
        let round = count.wait(&waker, 0);
        assert_eq!(count.wait(&waker, round), round);
        assert_eq!(times(), 1);
        count.settle(100, Open::default(), open(0, 90, false));
        assert_eq!(
            times(),
            2,
            "what was reserved is given back, and wakes it once"
        );
        fill(&count);
        count.add(10, 0);
        count.wait(&waker, round);
        count.ask();
        count.take();
        assert_eq!(times(), 2);
        count.acknowledge();
        assert_eq!(times(), 3);
    }
}
