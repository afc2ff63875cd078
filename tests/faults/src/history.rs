//! What all processes of a scenario write down, in one file, whose order of lines is the order of what happened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Microseconds of the machine's steady clock, which no clock jump moves.
    pub at: u64,
    /// The process: one start of a worker, or the bench.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// What happened.
    pub what: What,
    /// The handler.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub handler: String,
    /// The event's id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The event's key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The partition of the topic of tasks.
    pub partition: i32,
    /// The record's offset, a watermark, or a number that the kind of line calls for.
    pub offset: i64,
    /// Which attempt it is.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The assignment of the partition within its process.
    #[serde(skip_serializing_if = "is_zero")]
    pub epoch: u32,
    /// Committed metadata, or words for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum What {
    /// Words of the bench.
    #[default]
    Note,
    /// A task was acknowledged. `attempt` is 2 for a duplicate; the note says what is wrong with it, if anything.
    Produced,
    /// An attempt began.
    Begin,
    /// An attempt did its work: from here on it has been seen outside.
    Effect,
    /// An attempt succeeded.
    End,
    /// An attempt failed.
    Fail,
    /// An attempt was dropped before its end. A killed process writes nothing.
    Drop,
    /// A partition was assigned.
    Assigned,
    /// A partition was lost: the group had given the member up.
    Lost,
    /// What a task emitted is with the client.
    Emitted,
    /// What a task emitted, or its dead letter, was acknowledged.
    Acked,
    /// A watermark is about to be committed.
    Commit,
    /// A watermark, and in the note the map above it, as the broker holds them.
    Committed,
    /// A process was started.
    Started,
    /// A process was killed.
    Killed,
    /// A process was stopped by SIGSTOP.
    Stopped,
    /// A stopped process goes on.
    Continued,
    /// A process ended as asked.
    Ended,
    /// A fault begins.
    Fault,
    /// The fault is over.
    Healed,
    /// The bench set the group's offset, as an operator does.
    ByHand,
    /// Resident memory of a process in KiB, as `offset`.
    Memory,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The file.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    file: File,
    who: String,
}

impl History {
    /// Opens the file, and makes it if there is none. Lines are written in the name of `who`.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn open(path: &Path, who: &str) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            who: who.to_owned(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line by one write, which the system keeps apart from those of other processes. Sets the time, and who.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn append(&self, mut line: Line) -> io::Result<()> {
        line.at = now_micros();
        if line.who.is_empty() {
            line.who.clone_from(&self.who);
        }
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        (&self.file).write_all(text.as_bytes())
    }

    /// All whole lines so far.
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

/// Microseconds of the machine's steady clock, the same for all its processes.
pub fn now_micros() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1_000
}
