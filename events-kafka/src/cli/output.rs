//! Where texts go: results to standard output, logs to standard error. Nothing else writes to either, so that all text
//! from outside is escaped here.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use events_core::{Result, escape};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Logs for a service that has not set up its own: `info` and above, or what RUST_LOG says.
pub(super) fn set_up_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || LogWriter { colours })
        .with_ansi(colours);
    // A service that has set up its own keeps it.
    let _ = log.try_init();
}

/// Writes log lines to standard error, a whole one at a time.
struct LogWriter {
    /// Whether the log itself writes colours; values in it are escaped by then.
    colours: bool,
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().write_all(log_line(&text, self.colours).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A line of the log. Further lines of its text are indented, so that none looks like a line of its own.
fn log_line(text: &str, colours: bool) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let shown = if colours {
        let parts: Vec<_> = text.split('\u{1b}').map(escape::text).collect();
        Cow::Owned(parts.join("\u{1b}"))
    } else {
        escape::text(text)
    };
    shown.replace('\n', "\n    ") + "\n"
}

/// Prints one line, or several. A reader that has gone away, such as `head`, is no failure.
pub(super) fn print(text: &str) -> Result<()> {
    print_document(&escape::text(text))
}

/// Prints a value as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    print_document(&escape::json(&serde_json::to_string_pretty(value)?))
}

/// Prints a document for a tool, in whose language names from outside are escaped already.
pub(super) fn print_document(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints one of many lines of JSON; tells whether the reader is still there.
pub(super) fn print_line(value: &impl Serialize) -> Result<bool> {
    let line = serde_json::to_string(value)?;
    match writeln!(io::stdout().lock(), "{}", escape::json(&line)) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}

/// Says on standard error what is wrong.
pub(super) fn complain(text: &str) {
    eprintln!("{}", escape::text(text));
}

/// Asks a question on standard error, and waits for the answer.
pub(super) fn ask(question: &str) -> io::Result<String> {
    eprint!("{} ", escape::text(question));
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
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
    fn text_from_outside_cannot_forge_a_log_line() {
        let forged = "WARN a: key=\u{202e}x\r\n2026-01-01 ERROR b: gone\n::error::y\n";
        assert_eq!(
            log_line(forged, false),
            "WARN a: key=\\u{202e}x\\r\n    2026-01-01 ERROR b: gone\n    \\u{3a}:error::y\n"
        );
        assert_eq!(log_line("\u{1b}[33mWARN\n", true), "\u{1b}[33mWARN\n");
        assert_eq!(log_line("\u{1b}[33mWARN\n", false), "\\u{1b}[33mWARN\n");
    }

    #[test]
    fn spans_are_rounded() {
        let spans = [0.04, 59.6, 3_600.0, 86_400.0, 864_000.0].map(span);
        assert_eq!(spans, ["0.0 s", "60 s", "60 min", "24 h", "10 d"]);
    }
}
