//! How far a run is: a bar on a terminal, a log line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const LOG_EVERY: Duration = Duration::from_secs(5);

/// How far a run is. Nothing goes to the standard output, which is the report's.
pub(crate) struct Progress {
    bar: ProgressBar,
    logged: Instant,
    total: usize,
}

impl Progress {
    /// A run of `total` orders.
    pub(crate) fn new(total: usize) -> Self {
        // Hidden where the standard error is no terminal.
        let bar = ProgressBar::new(total as u64);
        let template = "{bar:30} {pos}/{len} orders ended, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            logged: Instant::now(),
            total,
        }
    }

    /// So many have ended.
    pub(crate) fn show(&mut self, ended: usize) {
        self.bar.set_position(ended as u64);
        if self.bar.is_hidden() && self.logged.elapsed() >= LOG_EVERY {
            self.logged = Instant::now();
            tracing::info!("{ended} of {} orders have ended", self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
