//! Waiting for what should come to pass, without guessing how long it takes.

use std::time::Duration;

use tokio::time::Instant;

/// How long something may take to come to pass: a member that joins on a busy machine, for one, takes half of it. Under a
/// paused clock it costs nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
///
/// # Panics
///
/// When it does not within 60 seconds; the message names `what` did not happen.
#[track_caller]
pub fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    until(
        format!("did not happen within {PATIENCE:?}: {what} ({place})"),
        condition,
    )
}

async fn until(failure: String, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{failure}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks for some time whether `condition` keeps holding: for what must *not* happen.
///
/// # Panics
///
/// As soon as it does not hold.
#[track_caller]
pub fn throughout(
    what: &str,
    time: Duration,
    condition: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    keeps(
        format!("did not stay so for {time:?}: {what} ({place})"),
        time,
        condition,
    )
}

async fn keeps(failure: String, time: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + time;
    loop {
        assert!(condition().await, "{failure}");
        if Instant::now() >= end {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
