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

/// A span of time as a person reads it.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        small if small < 10.0 => format!("{small:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        minutes if minutes < 7_200.0 => format!("{:.0} min", minutes / 60.0),
        hours if hours < 172_800.0 => format!("{:.0} h", hours / 3_600.0),
        days => format!("{:.0} d", days / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_rounded() {
        let spans = [0.04, 59.6, 3_600.0, 86_400.0, 864_000.0].map(span);
        assert_eq!(spans, ["0.0 s", "60 s", "60 min", "24 h", "10 d"]);
    }
}
