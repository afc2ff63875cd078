//! Where texts go: results to standard output, logs to standard error.

use std::io::{IsTerminal, Write};

use events_core::Result;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Logs for a service that has not set up its own: `info` and above, or what RUST_LOG says.
pub(super) fn set_up_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // A service that has set up its own keeps it.
    let _ = log.try_init();
}

/// Prints one line, or several. A reader that has gone away, such as `head`, is no failure.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints a value as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
