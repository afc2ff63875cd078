//! What passes between a lane's task and the group that owns it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::acks::Acks;
use crate::group::{CommitCount, MapRoom};
use crate::lane::begun::Begun;
use crate::status::LaneStatus;
use crate::transport::{Position, TopicPartition};
use crate::wake::WakeCell;

/// What a lane is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Control {
    Run,
    /// Take nothing more, finish what runs.
    Drain,
    /// Stop now.
    Cancel,
}

/// How a lane ended.
#[derive(Debug, Clone)]
pub(crate) struct LaneReport {
    pub(crate) partition: TopicPartition,
    pub(crate) position: Option<Position>,
    pub(crate) abandoned: usize,
    pub(crate) overdue: usize,
}

/// Belongs to one assignment of a partition: whatever arrives late for an earlier one arrives at nobody (D8).
#[derive(Debug)]
pub(crate) struct LaneShared {
    pub(crate) wake: Arc<WakeCell>,
    pub(crate) acks: Arc<Acks>,
    pub(crate) epoch: u64,
    pub(crate) map_room: Arc<MapRoom>,
    /// Its part in what all lanes of the member have begun.
    pub(crate) begun: Begun,
    control: AtomicU8,
    requested: AtomicBool,
    /// Numbers of the last request for a position, and of the last that was answered.
    position_asked: AtomicU64,
    position_answered: AtomicU64,
    /// When the request came that has not been answered.
    asked: Mutex<Option<Instant>>,
    /// First offset of the log and the one behind its last, as the transport knows them.
    ends: Mutex<Option<(i64, i64)>>,
    /// A position that has not been committed.
    position: Mutex<Option<Position>>,
    /// What was committed last did not arrive.
    refused: AtomicBool,
    /// A claim in the parked log outranks the lane's.
    outranked: AtomicBool,
    /// The generation in which the coordinator has taken this member for the owner; 0 for none.
    owner_in: AtomicI64,
    status: Mutex<Option<LaneStatus>>,
}

impl LaneShared {
    pub(crate) fn new(epoch: u64, map_room: Arc<MapRoom>, commits: Arc<CommitCount>) -> Self {
        let wake = Arc::new(WakeCell::default());
        Self {
            acks: Arc::new(Acks::new(Arc::clone(&wake))),
            wake,
            epoch,
            map_room,
            begun: Begun::new(commits),
            control: AtomicU8::new(Control::Run as u8),
            requested: AtomicBool::new(false),
            position_asked: AtomicU64::new(0),
            position_answered: AtomicU64::new(0),
            asked: Mutex::new(None),
            ends: Mutex::new(None),
            position: Mutex::new(None),
            refused: AtomicBool::new(false),
            outranked: AtomicBool::new(false),
            owner_in: AtomicI64::new(0),
            status: Mutex::new(None),
        }
    }

    pub(crate) fn control(&self) -> Control {
        match self.control.load(Ordering::Acquire) {
            0 => Control::Run,
            1 => Control::Drain,
            _ => Control::Cancel,
        }
    }

    pub(crate) fn tell(&self, control: Control) {
        // Never back from a stronger word to a weaker one.
        self.control.fetch_max(control as u8, Ordering::AcqRel);
        self.wake.wake();
    }

    /// Asks the lane for its position and its status.
    pub(crate) fn request(&self) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get_or_insert_with(Instant::now);
        drop(asked);
        self.requested.store(true, Ordering::Release);
        self.wake.wake();
    }

    /// Asks the lane for its position alone, which costs less than its status.
    pub(crate) fn ask_position(&self, request: u64) {
        self.position_asked.store(request, Ordering::Release);
        self.wake.wake();
    }

    /// The request for a position that has not been answered.
    pub(crate) fn asked_position(&self) -> Option<u64> {
        let asked = self.position_asked.load(Ordering::Acquire);
        (asked > self.position_answered.load(Ordering::Relaxed)).then_some(asked)
    }

    /// The position that was asked for is there.
    pub(crate) fn answer_position(&self, request: u64) {
        self.position_answered.store(request, Ordering::Release);
        self.begun.count().answer();
    }

    pub(crate) fn has_answered(&self, request: u64) -> bool {
        self.position_answered.load(Ordering::Acquire) >= request
    }

    /// How long a request has been waiting for the lane's answer; none while none is.
    pub(crate) fn silence(&self) -> Option<Duration> {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.map(|asked| asked.elapsed())
    }

    pub(crate) fn set_ends(&self, low: i64, high: i64) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some((low, high));
    }

    /// Records from `watermark` to the log's end, those that retention has removed not counted; none while the end is not
    /// known.
    pub(crate) fn lag(&self, watermark: i64) -> Option<u64> {
        let (low, high) = (*self.ends.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some((high - watermark.max(low)).max(0).unsigned_abs())
    }

    pub(crate) fn take_request(&self) -> bool {
        self.requested.load(Ordering::Acquire) && self.requested.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn set_position(&self, position: Option<Position>) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }

    pub(crate) fn take_position(&self) -> Option<Position> {
        self.position
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// A position that was taken did not reach the log of the group: the lane is to hand out the one that it has then.
    pub(crate) fn refuse_position(&self) {
        self.refused.store(true, Ordering::Release);
    }

    pub(crate) fn take_refusal(&self) -> bool {
        self.refused.load(Ordering::Acquire) && self.refused.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn set_outranked(&self, outranked: bool) {
        self.outranked.store(outranked, Ordering::Release);
    }

    pub(crate) fn is_outranked(&self) -> bool {
        self.outranked.load(Ordering::Acquire)
    }

    /// The coordinator has taken this member for the owner.
    pub(crate) fn confirm_owner(&self, generation: i64) {
        self.owner_in.store(generation, Ordering::Release);
        self.wake.wake();
    }

    pub(crate) fn take_confirmation(&self) -> Option<i64> {
        if self.owner_in.load(Ordering::Acquire) == 0 {
            return None;
        }
        Some(self.owner_in.swap(0, Ordering::AcqRel))
    }

    pub(crate) fn set_status(&self, status: LaneStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn status(&self) -> Option<LaneStatus> {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_silent_from_the_first_request_to_its_answer() {
        let shared = LaneShared::new(1, Arc::default(), Arc::new(CommitCount::new(1)));
        assert_eq!(shared.silence(), None);
        shared.request();
        tokio::time::advance(Duration::from_secs(3)).await;
        shared.request();
        assert_eq!(shared.silence(), Some(Duration::from_secs(3)));
        assert!(shared.take_request());
        // Heard, but not answered yet.
        assert!(shared.silence().is_some());
        shared.set_status(LaneStatus::default());
        assert_eq!(shared.silence(), None);
    }

    #[test]
    fn lag_counts_from_the_log_s_start_at_least() {
        let shared = LaneShared::new(1, Arc::default(), Arc::new(CommitCount::new(1)));
        assert_eq!(shared.lag(5), None);
        shared.set_ends(10, 30);
        assert_eq!(
            [5, 12, 30, 31].map(|watermark| shared.lag(watermark)),
            [Some(20), Some(18), Some(0), Some(0)]
        );
    }
}
