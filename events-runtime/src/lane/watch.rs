//! What a lane keeps for its status and its meters, at the cost of a batch and not of a record.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lane::context::LaneContext;
use crate::meters::LaneMeters;
use crate::status::LaneStatus;
use crate::transport::Record;

/// One record in so many has its timestamp read: asking the client for it costs a call.
const STRIDE: usize = 32;

/// What a lane keeps for its status and its meters.
pub(crate) struct Watch {
    /// Offsets and timestamps of some received records from the watermark on, the first of each batch among them.
    marks: VecDeque<(i64, i64)>,
    meters: LaneMeters,
    /// Records received since the meters were last told.
    received: u64,
}

impl Watch {
    pub(crate) fn new(context: &LaneContext) -> Self {
        let group = &context.group;
        Self {
            marks: VecDeque::new(),
            meters: LaneMeters::register(group.service.service(), &group.group, &context.partition),
            received: 0,
        }
    }

    /// Notes a batch that has come.
    pub(crate) fn note<R: Record>(&mut self, batch: &[R]) {
        self.received += batch.len() as u64;
        mark(&mut self.marks, batch.iter().step_by(STRIDE));
    }

    /// A position has less of the offset map than there was.
    pub(crate) fn shortened(&self) {
        self.meters.shortened();
    }

    /// Lets go of what lies below the watermark.
    pub(crate) fn pass(&mut self, watermark: i64) {
        while self
            .marks
            .get(1)
            .is_some_and(|(offset, _)| *offset <= watermark)
        {
            self.marks.pop_front();
        }
    }

    /// Timestamp of the record at the watermark, or of one at most [`STRIDE`] records before it.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.marks.front().map(|(_, timestamp)| *timestamp)
    }

    /// Tells the meters.
    pub(crate) fn report(&mut self, status: &LaneStatus) {
        self.meters.received(std::mem::take(&mut self.received));
        let age = status.oldest_timestamp.map_or(0.0, age);
        self.meters.report(status, age);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.meters.received(self.received);
    }
}

fn mark<'a, R: Record>(marks: &mut VecDeque<(i64, i64)>, records: impl Iterator<Item = &'a R>) {
    for record in records {
        // Offsets that the client delivers again are not noted again.
        let known = marks
            .back()
            .is_some_and(|(offset, _)| *offset >= record.offset());
        if let Some(timestamp) = record.timestamp().filter(|_| !known) {
            marks.push_back((record.offset(), timestamp));
        }
    }
}

/// Seconds since a timestamp; none are below zero, as the clock of a producer may be ahead.
fn age(timestamp: i64) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    now.saturating_sub(timestamp).max(0) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use events_core::RecordView;

    use super::*;

    struct Stamped(i64);

    impl RecordView for Stamped {
        fn topic(&self) -> &str {
            "t"
        }
        fn partition(&self) -> i32 {
            0
        }
        fn offset(&self) -> i64 {
            self.0
        }
        fn timestamp(&self) -> Option<i64> {
            Some(self.0 * 10)
        }
        fn key(&self) -> Option<&[u8]> {
            None
        }
        fn value(&self) -> Option<&[u8]> {
            None
        }
        fn header(&self, _: usize) -> Option<(&[u8], Option<&[u8]>)> {
            None
        }
    }

    impl Record for Stamped {
        fn size(&self) -> usize {
            0
        }
    }

    fn watch() -> Watch {
        Watch {
            marks: VecDeque::new(),
            meters: LaneMeters::none(),
            received: 0,
        }
    }

    #[test]
    fn the_watermark_is_as_old_as_a_record_just_before_it() {
        let mut watch = watch();
        assert_eq!(watch.oldest(), None);
        let records: Vec<_> = (100..200).map(Stamped).collect();
        watch.note(&records[..3]);
        watch.note(&records[3..]);
        for watermark in 100..200 {
            watch.pass(watermark);
            let oldest = watch.oldest().unwrap();
            let exact = watermark * 10;
            assert!(
                oldest <= exact && oldest > exact - 10 * STRIDE as i64,
                "{watermark}: {oldest}"
            );
        }
        // The first of each batch is exact.
        let mut watch = self::watch();
        watch.note(&records[..3]);
        watch.note(&records[3..]);
        watch.pass(103);
        assert_eq!(watch.oldest(), Some(1030));
        assert_eq!(watch.received, 100);
    }

    #[test]
    fn nothing_is_younger_than_now() {
        assert_eq!(age(i64::MAX), 0.0);
        assert!(age(0) > 1.0e9);
    }
}
