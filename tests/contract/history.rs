//! What workers write down: a line for the begin and the end of each attempt, in one file for all processes of a test.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Microseconds since the Unix epoch; for people, since the order of lines says more.
    pub at: u64,
    /// The process.
    pub pid: u32,
    /// The handler.
    pub handler: String,
    /// What happened.
    pub what: What,
    /// The event's id.
    pub id: String,
    /// The event's key.
    pub key: String,
    /// The record's partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// Which attempt it is.
    pub attempt: u32,
}

/// What happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// It began.
    Begin,
    /// It succeeded.
    End,
    /// It failed.
    Fail,
    /// It was dropped before its end. A killed process writes nothing.
    Drop,
}

/// The file.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    file: File,
}

impl History {
    /// Opens the file, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Appends a line by one write, which the system keeps apart from those of other processes.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn append(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())
    }

    /// All whole lines so far, in the order in which they were written.
    ///
    /// # Errors
    ///
    /// The system's, or a line that is none.
    pub fn lines(&self) -> io::Result<Vec<Line>> {
        let text = fs::read_to_string(&self.path)?;
        // A reader may see a part of the line that is being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }
}

/// The time of a line that is written now.
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}
