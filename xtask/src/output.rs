//! What a command wrote: kept in a file for people, in memory for counting, and cut down for the screen.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::process::{Farewell, Process, interrupted};

/// A command that has ended, with its output.
pub struct Captured {
    ending: Result<ExitStatus>,
    text: String,
    log: PathBuf,
}

impl Captured {
    /// Runs `command` to its end, or takes it down at `limit`. `watch` sees each line as it comes.
    pub fn run(
        mut command: Command,
        log: &Path,
        limit: Duration,
        watch: impl Fn(&str) + Send + Sync,
    ) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let (reader, writer) = std::io::pipe().context("cannot create a pipe")?;
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let process = Process::spawn(&mut command, Farewell::Ask, None)?;
        // The command holds the pipe's other end; while it lives the reader would never see the end of the file.
        drop(command);
        let (ending, text) = thread::scope(|scope| {
            let lines = scope.spawn(|| follow(reader, file, watch));
            let ending = process.wait(limit);
            // Also ends what the command left behind in its group, which would hold the pipe open.
            drop(process);
            (ending, lines.join())
        });
        if interrupted() {
            return Err(anyhow!("interrupted"));
        }
        let text = text.map_err(|_| anyhow!("reading a command's output panicked"))?;
        let text = text.with_context(|| format!("cannot write {}", log.display()))?;
        Ok(Self {
            ending,
            text,
            log: log.to_owned(),
        })
    }

    /// Whether it ended by itself with code 0.
    pub fn ok(&self) -> bool {
        self.ending.as_ref().is_ok_and(ExitStatus::success)
    }

    /// How it ended, in words.
    pub fn ending(&self) -> String {
        match &self.ending {
            Ok(status) => status.to_string(),
            Err(error) => format!("{error:#}"),
        }
    }

    /// Everything it wrote, standard output and error interleaved.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file that holds the same.
    pub fn log(&self) -> &Path {
        &self.log
    }
}

fn follow(reader: PipeReader, mut log: File, watch: impl Fn(&str)) -> std::io::Result<String> {
    let mut reader = BufReader::new(reader);
    let mut text = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        log.write_all(&line)?;
        let read = String::from_utf8_lossy(&line);
        watch(read.trim_end());
        text.push_str(&read);
        line.clear();
    }
    Ok(text)
}

/// The last `count` lines.
pub fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// What a reader needs from a failed command: for each test binary with failures the part cargo calls `failures:`,
/// else, and always for what is not a test, the end.
pub fn excerpt(text: &str) -> String {
    const LINES_PER_BINARY: usize = 60;
    let mut parts = Vec::new();
    let mut part: Option<Vec<&str>> = None;
    for line in text.lines() {
        if line == "failures:" {
            part.get_or_insert_default();
        }
        if let Some(lines) = &mut part {
            lines.push(line);
        }
        if line.starts_with("test result: ") {
            parts.extend(
                part.take()
                    .map(|lines| tail(&lines.join("\n"), LINES_PER_BINARY)),
            );
        }
    }
    if parts.is_empty() {
        tail(text, 40)
    } else {
        parts.join("\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_of_failed_tests_is_their_failures() {
        let text = "test a ... ok\ntest result: ok. 1 passed; 0 failed\ntest b ... FAILED\nfailures:\n\n---- b ----\nboom\n\
                    failures:\n    b\ntest result: FAILED. 0 passed; 1 failed\ntest c ... ok\ntest result: ok. 1 passed";
        let excerpt = excerpt(text);
        assert!(
            excerpt.starts_with("failures:\n\n---- b ----\nboom"),
            "{excerpt}"
        );
        assert!(
            excerpt.ends_with("test result: FAILED. 0 passed; 1 failed"),
            "{excerpt}"
        );
    }

    #[test]
    fn the_excerpt_of_anything_else_is_its_end() {
        let text = (0..100)
            .map(|line| line.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(excerpt(&text).starts_with("60\n"));
        assert_eq!(tail("a\nb\n", 1), "b");
    }
}
