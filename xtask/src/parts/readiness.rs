//! When a server counts as up: it wrote its ready line *and* it answers.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::output::tail;
use crate::process::Process;

/// A broker needs three seconds, three brokers six; a loaded two-core machine gets many times that.
const LIMIT: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(50);

/// Waits until `line` stands in the log and `answers` says yes, or the process ends, or the limit passes.
pub(crate) fn await_ready(
    name: &str,
    process: &Process,
    log: &Path,
    line: &str,
    answers: impl Fn() -> bool,
) -> Result<()> {
    let start = Instant::now();
    loop {
        if fs::read_to_string(log).unwrap_or_default().contains(line) && answers() {
            return Ok(());
        }
        let trouble = match process.ended()? {
            Some(status) => format!("{name} ended while starting ({status})"),
            None if start.elapsed() > LIMIT => {
                format!("{name} is not up after {} s", LIMIT.as_secs())
            }
            None => {
                thread::sleep(LOOK);
                continue;
            }
        };
        let written = fs::read_to_string(log).unwrap_or_default();
        bail!(
            "{trouble}; its log is {}, and ends with:\n{}",
            log.display(),
            tail(&written, 15)
        );
    }
}
