//! Waiting for a condition, never for time to pass.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Far longer than anything here takes on a busy machine: whoever waits that long waits for ever.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `look` answers something, and fails with `what` and the last reason when it does not.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(reason) if start.elapsed() > DEADLINE => {
                panic!("waited {DEADLINE:?} in vain until {what}: {reason}")
            }
            Err(_) => sleep(LOOK),
        }
    }
}

/// A condition with what it is that is missing.
pub(crate) fn holds(condition: bool, missing: impl FnOnce() -> String) -> Result<(), String> {
    condition.then_some(()).ok_or_else(missing)
}
