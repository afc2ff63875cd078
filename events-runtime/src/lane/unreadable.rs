//! Says once that something cannot be read, and once that it can be again.

use std::time::Duration;

use tokio::time::Instant;

/// What was told is told again if it occurs after so long without a word of it.
const FORGET: Duration = Duration::from_secs(60);

/// What the log was told of a queue that cannot be read, and when it last occurred.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(Option<(String, Instant)>);

impl Unreadable {
    /// It cannot be read, for this reason. Answers whether that is news.
    pub(crate) fn occurs(&mut self, reason: &str) -> bool {
        let now = Instant::now();
        match &mut self.0 {
            Some((known, last)) if known == reason => now - std::mem::replace(last, now) > FORGET,
            told => {
                *told = Some((reason.to_owned(), now));
                true
            }
        }
    }

    /// Records have come. Answers whether that is news. That none come and nothing is wrong says little: a client may tell
    /// of a trouble only once.
    pub(crate) fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_trouble_is_news_once() {
        let mut unreadable = Unreadable::default();
        assert!(!unreadable.is_over());
        assert!(unreadable.occurs("no right"));
        for _ in 0..1_000 {
            tokio::time::advance(Duration::from_millis(500)).await;
            assert!(!unreadable.occurs("no right"));
        }
        assert!(unreadable.occurs("out of range"));
        assert!(unreadable.is_over() && !unreadable.is_over());
        assert!(unreadable.occurs("out of range"));
        tokio::time::advance(FORGET * 2).await;
        assert!(unreadable.occurs("out of range"), "after a long silence");
    }
}
