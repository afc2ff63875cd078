//! What a person sees while a service catches up.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use events_runtime::TopicPartition;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior};

use crate::handle::Handle;

/// Lag in records from which on progress is shown, and at which the service counts as caught up.
const BEHIND: (u64, u64) = (5_000, 100);
/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(250);
/// How often a line is logged where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// Shows progress whenever the services are behind: a bar on a terminal, log lines elsewhere. Never ends.
///
/// # Cancel safety
///
/// Cancel safe: the bar goes with it.
pub(crate) async fn watch(handles: &[Handle]) {
    let terminal = std::io::stderr().is_terminal();
    let mut ticks = tokio::time::interval(FRAME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut run: Option<Run> = None;
    loop {
        ticks.tick().await;
        let services = handles
            .iter()
            .map(|handle| (handle.partitions(), handle.lag()));
        let Some(lag) = behind(services) else {
            continue;
        };
        match &mut run {
            None if lag >= BEHIND.0 => run = Some(Run::start(lag, terminal)),
            None => {}
            Some(current) if lag <= BEHIND.1 => {
                current.finish(handles);
                run = None;
            }
            Some(current) => current.show(handles, lag),
        }
    }
}

/// How far services are behind, each given by its partitions and its lag; none while that of one that reads is not known,
/// or none reads.
fn behind(services: impl Iterator<Item = (usize, Option<u64>)>) -> Option<u64> {
    services
        .filter_map(|(partitions, lag)| (partitions > 0).then_some(lag))
        .reduce(|sum, lag| Some(sum? + lag?))?
}

/// One time of catching up.
struct Run {
    bar: Option<ProgressBar>,
    began: Instant,
    logged: Instant,
    /// Watermark of each lane when it was first seen, by group and partition.
    first: BTreeMap<(String, TopicPartition), i64>,
}

impl Run {
    fn start(lag: u64, terminal: bool) -> Self {
        let bar = terminal.then(|| {
            let style = ProgressStyle::with_template(
                "catching up {bar:30} {human_pos} of {human_len} records{msg}",
            );
            // The template is a constant that a test reads.
            ProgressBar::new(lag).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        tracing::info!(lag, "catching up");
        let began = Instant::now();
        Self {
            bar,
            began,
            logged: began,
            first: BTreeMap::new(),
        }
    }

    /// Records done since it began: how far the watermarks have moved, so that what is done and the lag add up.
    fn done(&mut self, handles: &[Handle]) -> u64 {
        let lanes = handles.iter().flat_map(|handle| handle.status().lanes);
        let moved = lanes.map(|lane| {
            let first = self
                .first
                .entry((lane.group, lane.partition))
                .or_insert(lane.watermark);
            (lane.watermark - *first).max(0).unsigned_abs()
        });
        moved.sum()
    }

    fn show(&mut self, handles: &[Handle], lag: u64) {
        let records = self.done(handles);
        let (rate, left) = pace(records, lag, self.began.elapsed());
        if let Some(bar) = &self.bar {
            let left = left.map_or_else(String::new, |seconds| format!(", {seconds} s left"));
            bar.set_length(records + lag);
            bar.set_message(format!(", {}/s{left}", HumanCount(rate)));
            bar.set_position(records);
        } else if self.logged.elapsed() >= LINE {
            self.logged = Instant::now();
            tracing::info!(records, lag, rate, seconds_left = left, "catching up");
        }
    }

    fn finish(&mut self, handles: &[Handle]) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let records = self.done(handles);
        let (rate, _) = pace(records, 0, self.began.elapsed());
        tracing::info!(records, rate, "caught up");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Records per second, and the seconds that the rest will take; none while nothing is done.
fn pace(records: u64, lag: u64, elapsed: Duration) -> (u64, Option<u64>) {
    let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
    let left = (rate >= 1.0).then(|| (lag as f64 / rate).ceil() as u64);
    (rate as u64, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_the_pace_says() {
        assert_eq!(
            pace(50_000, 100_000, Duration::from_secs(10)),
            (5_000, Some(20))
        );
        assert_eq!(pace(0, 100, Duration::from_secs(10)), (0, None));
    }

    #[test]
    fn a_service_that_reads_nothing_hides_no_lag() {
        let of = |services: &[(usize, Option<u64>)]| behind(services.iter().copied());
        assert_eq!(of(&[(2, Some(7)), (0, None)]), Some(7));
        assert_eq!(of(&[(2, Some(7)), (0, Some(0)), (1, Some(2))]), Some(9));
        assert_eq!(of(&[(2, Some(7)), (1, None)]), None, "it has not been told");
        assert_eq!(of(&[(0, Some(0))]), None, "nobody reads");
    }

    #[test]
    fn the_bar_has_a_template() {
        let run = Run::start(10, true);
        assert_eq!(run.bar.as_ref().and_then(ProgressBar::length), Some(10));
    }
}
