//! Waiting for a condition, with a limit that is a promise or an error.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What no promise bounds gets so long: whoever waits longer waits for ever.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits until `look` answers something. The error says what did not come, and the last reason.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(reason) if start.elapsed() > limit => {
                bail!("waited {limit:?} in vain until {what}: {reason}")
            }
            Err(_) => sleep(LOOK),
        }
    }
}

/// A condition with what it is that is missing.
pub(crate) fn holds(condition: bool, missing: impl FnOnce() -> String) -> Result<(), String> {
    condition.then_some(()).ok_or_else(missing)
}

/// Lets a scenario run on as it is. What it waits for is time itself: a load that goes on, a fault that lasts.
pub(crate) fn go_on(time: Duration) {
    sleep(time);
}
