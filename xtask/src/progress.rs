//! What people see while they wait: a spinner on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The current activity. All of it goes to standard error, so that standard output stays parseable.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts to show `title`.
    pub fn start(title: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed:>4} {wide_msg:.dim}");
        bar.set_style(style.expect("the template is a constant and valid"));
        bar.set_prefix(title.to_owned());
        // Elsewhere than on a terminal the bar is hidden, and a thread that ticks it would be waste.
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self { bar }
    }

    /// Something worth a line of its own where there is no spinner, such as a download.
    pub fn note(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.set_message(text.to_owned());
        }
    }

    /// Something that stays on the screen, such as what is about to be installed.
    pub fn announce(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// The latest line of a command's output, which only a spinner shows.
    pub fn activity(&self, line: &str) {
        if !line.trim().is_empty() {
            self.bar.set_message(line.trim().to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
