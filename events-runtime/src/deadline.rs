//! Moments that are to come.

use std::time::Duration;

use tokio::time::Instant;

/// As far away as a moment may be: 30 years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// The moment that is `wait` from now.
pub(crate) fn after(wait: Duration) -> Instant {
    later(Instant::now(), wait)
}

/// `start + wait`, which overflows for waits that mean "never": those end as late as a timer can tell.
pub(crate) fn later(start: Instant, wait: Duration) -> Instant {
    start
        .checked_add(wait)
        .unwrap_or_else(|| start + wait.min(FAR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_too_long() {
        let start = Instant::now();
        let wait = Duration::from_secs(60);
        assert_eq!(later(start, wait), start + wait);
        assert_eq!(later(start, Duration::MAX), start + FAR);
        assert!(after(Duration::MAX) >= start + FAR);
    }
}
