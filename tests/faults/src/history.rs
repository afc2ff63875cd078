//! What all processes of a scenario write down, in one file, whose order of lines is the order of what happened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// A record is about to be appended to the parked log.
    Parking,
    /// What a task emitted is with the client.
    Emitted,
    /// What a task emitted, its dead letter, or its copy in the parked log was acknowledged.
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
    /// A worker runs, which it says each [`BEAT`]; `offset` counts, from 0, and the note has the microseconds that its threads
    /// have waited for a processor. Of the observer: 0 asks the broker, 1 is the answer.
    Alive,
}

/// How often a worker says that it runs.
pub const BEAT: Duration = Duration::from_millis(100);

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

    /// Appends a line by one write, which the system keeps apart from those of other processes. Sets the time, and who. It
    /// begins a line of its own even where a process was killed in the middle of its write, as happens at the bound of a page.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn append(&self, mut line: Line) -> io::Result<()> {
        line.at = now_micros();
        if line.who.is_empty() {
            line.who.clone_from(&self.who);
        }
        let text = format!("\n{}\n", serde_json::to_string(&line)?);
        (&self.file).write_all(text.as_bytes())
    }

    /// All whole lines so far.
    ///
    /// # Errors
    ///
    /// The system's, or a line that is none.
    pub fn lines(&self) -> io::Result<Vec<Line>> {
        self.news(&mut Mark::default())
    }

    /// Where it ends now.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn end(&self) -> io::Result<Mark> {
        let length = fs::metadata(&self.path)?.len();
        let mut mark = Mark(length.saturating_sub(LONGEST));
        let text = self.text(mark)?;
        mark.0 += whole(&text).len() as u64;
        Ok(mark)
    }

    /// The whole lines behind `mark`, which moves to where they end: whoever waits reads each line once.
    ///
    /// # Errors
    ///
    /// The system's, or a line that is none.
    pub fn news(&self, mark: &mut Mark) -> io::Result<Vec<Line>> {
        let text = self.text(*mark)?;
        let whole = whole(&text);
        mark.0 += whole.len() as u64;
        let lines = whole.split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| match serde_json::from_slice(line) {
            // Nothing, or what a killed process began to write: then it did not go on to what the line tells.
            Err(error) if error.is_eof() => None,
            line => Some(line),
        });
        Ok(lines.collect::<Result<_, _>>()?)
    }

    fn text(&self, from: Mark) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(from.0))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(text)
    }
}

/// A place between two lines of a history; by default its begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark(u64);

/// No line is longer: committed metadata is what is longest in one.
const LONGEST: u64 = 64 << 10;

/// A reader may see a part of the line that is being written.
fn whole(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    end.map_or(&[], |end| &text[..=end])
}

/// Microseconds of the machine's steady clock, the same for all its processes.
pub fn now_micros() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_read_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history.jsonl");
        let history = History::open(&path, "me").expect("it opens");
        let write = |id: &str| {
            let id = id.to_owned();
            let line = Line {
                id,
                ..Line::default()
            };
            history.append(line).expect("it is written");
        };
        let ids = |lines: Vec<Line>| lines.into_iter().map(|line| line.id).collect::<Vec<_>>();
        let mut mark = history.end().expect("it has an end");
        assert_eq!(mark, Mark::default());
        write("a");
        let behind = history.end().expect("it has an end");
        (&history.file)
            .write_all(b"{\"id\":")
            .expect("it is written");
        assert_eq!(history.end().expect("it has an end"), behind);
        assert_eq!(ids(history.news(&mut mark).expect("lines")), ["a"]);
        assert_eq!(ids(history.news(&mut mark).expect("lines")), [""; 0]);
        (&history.file)
            .write_all(b"\"b\"}\n")
            .expect("it is written");
        write("c");
        assert_eq!(ids(history.news(&mut mark).expect("lines")), ["b", "c"]);
        assert_eq!(ids(history.lines().expect("lines")), ["a", "b", "c"]);
    }

    #[test]
    fn what_a_kill_cut_short_is_no_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("history.jsonl");
        let history = History::open(&path, "me").expect("it opens");
        let mut mark = history.end().expect("it has an end");
        (&history.file)
            .write_all(b"\n{\"at\":12345")
            .expect("it is written");
        let line = Line {
            id: "a".into(),
            ..Line::default()
        };
        history.append(line).expect("it is written");
        let lines = history.news(&mut mark).expect("lines");
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].id, "a");
        (&history.file)
            .write_all(b"\n{\"at\":1 2}\n")
            .expect("it is written");
        assert!(
            history.lines().is_err(),
            "no kill cuts a line in the middle"
        );
    }
}
