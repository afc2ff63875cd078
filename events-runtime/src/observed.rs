//! What is seen of an attempt from outside: its span and its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use events_core::engine::{BlockingJob, Panicked, discard};
use events_core::{Emissions, Error, RecordView, Result};
use metrics::Histogram;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Span;

use crate::blocking::BlockingStart;
use crate::lane::context::LaneContext;
use crate::meters::HandlerMeters;
use crate::plan::HandlerPlan;
use crate::spans::{self, TraceContext};

/// One attempt in so many that are ready at once has its time taken; it stands for all since the last one.
const SAMPLE: u32 = 128;

/// An attempt took longer than the handler's time-out.
#[derive(Debug, thiserror::Error)]
#[error(
    "the attempt took longer than its time-out of {0:?}; raise it with #[handler(timeout = \"…\")] if that is right"
)]
pub(crate) struct TimedOut(pub(crate) Duration);

/// The attempts of one slot, seen from outside.
pub(crate) struct Observed {
    /// The attempt under way; disabled unless somebody listens.
    pub(crate) span: Span,
    /// When the attempt began, if its time is taken.
    began: Option<Instant>,
    /// Attempts ready at once until the next whose time is taken, and for how many that one stands.
    skip: u32,
    weight: u32,
    /// What emissions of the settled attempt carry in place of their cause's trace context.
    pub(crate) trace: Option<TraceContext>,
}

impl Observed {
    pub(crate) fn new() -> Self {
        Self {
            span: Span::none(),
            began: None,
            // A handler that has run once has a duration to show.
            skip: 0,
            weight: 1,
            trace: None,
        }
    }

    /// A record was taken up.
    pub(crate) fn start(
        &mut self,
        lane: &LaneContext,
        handler: &HandlerPlan,
        record: &dyn RecordView,
        attempt: u32,
    ) {
        self.span = spans::process(lane, handler, record, attempt);
        if self.skip == 0 {
            self.began = Some(Instant::now());
        }
    }

    /// The attempt is not ready at once, so its time is always taken; `now` was read for its time-out.
    pub(crate) fn pending(&mut self, now: Instant) {
        self.began.get_or_insert(now);
    }

    /// The attempt began later than it was taken up: it waited for a thread.
    pub(crate) fn began(&mut self, began: Instant) {
        self.began = self.began.map(|_| began);
    }

    /// The attempt is over; `pended` if it was not ready at once.
    pub(crate) fn end(&mut self, pended: bool, meters: &HandlerMeters) {
        self.time(pended, &meters.duration);
    }

    fn time(&mut self, pended: bool, duration: &Histogram) {
        match self.began.take() {
            None => self.skip = self.skip.saturating_sub(1),
            Some(began) if pended => duration.record(began.elapsed().as_secs_f64()),
            Some(began) => {
                duration.record_many(began.elapsed().as_secs_f64(), self.weight as usize);
                self.weight = SAMPLE;
                self.skip = SAMPLE - 1;
            }
        }
    }

    /// Runs a blocking attempt.
    pub(crate) fn spawn(
        &self,
        job: BlockingJob,
        start: Arc<BlockingStart>,
    ) -> JoinHandle<(Emissions, Result<()>)> {
        let span = self.span.clone();
        tokio::task::spawn_blocking(move || {
            let mut emissions = Emissions::new();
            if !start.begin() {
                // No record is left that a panic could fail.
                let _ = discard(job);
                return (emissions, Err(Error::msg("the attempt was withdrawn")));
            }
            let job = || span.in_scope(|| job(&mut emissions));
            let run = catch_unwind(AssertUnwindSafe(job));
            (
                emissions,
                run.unwrap_or_else(|panic| Err(Panicked::error(panic))),
            )
        })
    }

    /// The outcome is known: `failed` is the kind of its error. Answers the attempt's span, which ends with what is made of
    /// the outcome.
    pub(crate) fn settle(&mut self, lane: &LaneContext, failed: Option<&'static str>) -> Span {
        let span = std::mem::replace(&mut self.span, Span::none());
        if !span.is_disabled() {
            if let Some(kind) = failed {
                spans::failed(&span, kind);
            }
            self.trace = spans::context(lane, &span);
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics::HistogramFn;

    use super::*;

    #[derive(Default)]
    struct Recorded(Mutex<Vec<(f64, usize)>>);

    impl HistogramFn for Recorded {
        fn record(&self, value: f64) {
            self.record_many(value, 1);
        }
        fn record_many(&self, value: f64, count: usize) {
            self.0.lock().unwrap().push((value, count));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ready_attempts_are_sampled_and_pending_ones_all_timed() {
        let recorded = Arc::new(Recorded::default());
        let duration = Histogram::from_arc(Arc::clone(&recorded));
        let mut observed = Observed::new();
        let take_up = |observed: &mut Observed| {
            if observed.skip == 0 {
                observed.began = Some(Instant::now());
            }
        };
        for _ in 0..=2 * SAMPLE {
            take_up(&mut observed);
            observed.time(false, &duration);
        }
        take_up(&mut observed);
        observed.pending(Instant::now());
        tokio::time::advance(Duration::from_millis(1500)).await;
        observed.time(true, &duration);
        let weights: Vec<_> = std::mem::take(&mut *recorded.0.lock().unwrap());
        // Every ready attempt counts, though only three had their time taken.
        let ready: usize = weights[..weights.len() - 1].iter().map(|(_, n)| n).sum();
        assert_eq!(ready, 2 * SAMPLE as usize + 1);
        assert_eq!(weights.len(), 4);
        assert_eq!(weights.last(), Some(&(1.5, 1)));
    }
}
