//! What a person sees while a command takes its time.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is over sooner is not shown.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the bar is drawn for a second.
const FRAMES: u8 = 8;

/// A bar on the terminal; nothing elsewhere. It goes when it is dropped.
pub(crate) struct Bar {
    bar: ProgressBar,
    began: std::time::Instant,
}

impl Bar {
    pub(crate) fn new(what: &'static str, records: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(records), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(
            "{msg} {bar:30} {human_pos} of {human_len} records, {per_sec}, {eta} left",
        );
        // The template is a constant that a test reads.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self {
            bar,
            began: std::time::Instant::now(),
        }
    }

    pub(crate) fn add(&self, records: u64) {
        if self.bar.is_hidden()
            && std::io::stderr().is_terminal()
            && self.began.elapsed() > PATIENCE
        {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES));
        }
        self.bar.inc(records);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_counts() {
        let bar = Bar::new("reading", 10);
        bar.add(3);
        assert_eq!((bar.bar.position(), bar.bar.length()), (3, Some(10)));
    }
}
