//! One test's stage with its topics made anew, its workers, and what they wrote down.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use end_to_end_tests::{Behaviour, History, Line, Stage, What};
use events_kafka::stable_hash;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::log::{self, Committed, Found};
use crate::produce::{Entry, publish};
use crate::wait::{holds, until};
use crate::worker::Worker;

/// Short sessions of the classic protocol, so that a killed member is soon missed; one that lives on a busy machine is not.
pub(crate) const SHORT_SESSIONS: &[(&str, &str)] = &[
    ("KAFKA_SESSION_TIMEOUT_MS", "10000"),
    ("KAFKA_HEARTBEAT_INTERVAL_MS", "500"),
];

/// One test's stage.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    directory: TempDir,
    history: History,
    workers: AtomicU32,
    ids: AtomicU32,
}

impl Scene {
    /// A stage without records and without a group.
    pub(crate) fn new(stage: Stage, partitions: i32) -> Self {
        Self::with_topics(stage, partitions, &[])
    }

    /// The same with further topics.
    pub(crate) fn with_topics(stage: Stage, partitions: i32, further: &[&str]) -> Self {
        let mut topics = vec![
            (stage.topic.to_owned(), partitions),
            (stage.dead_letters(), 1),
        ];
        topics.extend(
            further
                .iter()
                .map(|topic| ((*topic).to_owned(), partitions)),
        );
        Cluster::shared().reset(&topics, &[stage.service]);
        let directory = TempDir::with_prefix(stage.service).expect("a directory can be made");
        let history = History::open(&directory.path().join("history")).expect("a file can be made");
        Self {
            stage,
            directory,
            history,
            workers: AtomicU32::new(0),
            ids: AtomicU32::new(0),
        }
    }

    /// A file that opens a gate once it exists.
    pub(crate) fn gate(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(format!("gate-{name}"))
    }

    /// Opens a gate.
    pub(crate) fn open(&self, name: &str) {
        std::fs::write(self.gate(name), "").expect("a file can be made");
    }

    /// Starts a worker that behaves plainly but for what `change` says.
    pub(crate) fn worker(&self, change: impl FnOnce(&mut Behaviour)) -> Worker {
        self.worker_with(SHORT_SESSIONS, change)
    }

    /// The same with properties of the client.
    pub(crate) fn worker_with(
        &self,
        properties: &[(&str, &str)],
        change: impl FnOnce(&mut Behaviour),
    ) -> Worker {
        let number = self.workers.fetch_add(1, Ordering::Relaxed) + 1;
        let behaviour = self.behaviour(change);
        let name = format!("worker-{number}");
        Worker::start(&name, self.directory.path(), &behaviour, properties)
    }

    /// How a worker behaves: plainly but for what `change` says.
    pub(crate) fn behaviour(&self, change: impl FnOnce(&mut Behaviour)) -> Behaviour {
        let history = self.directory.path().join("history");
        let mut behaviour = Behaviour::plain(self.stage.service, history);
        change(&mut behaviour);
        behaviour
    }

    /// A task with an id of its own.
    pub(crate) fn task(&self, key: &str) -> Entry {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        Entry::task(self.stage.event, key, id.into())
    }

    /// Writes records and answers the offset of each.
    pub(crate) fn publish(&self, entries: &[Entry]) -> Vec<i64> {
        publish(self.stage.topic, entries)
    }

    /// What the workers wrote down so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.history.lines().expect("the history can be read")
    }

    /// Lines of one kind of the handler `work`.
    pub(crate) fn work(&self, what: What) -> Vec<Line> {
        self.of("work", what)
    }

    /// Lines of one kind of one handler.
    pub(crate) fn of(&self, handler: &str, what: What) -> Vec<Line> {
        let mut lines = self.lines();
        lines.retain(|line| line.handler == handler && line.what == what);
        lines
    }

    /// What the group has committed for each partition.
    pub(crate) fn committed(&self) -> BTreeMap<i32, Committed> {
        log::committed(self.stage.service, self.stage.topic)
    }

    /// Records that were given up.
    pub(crate) fn dead_letters(&self) -> Vec<Found> {
        log::records(&self.stage.dead_letters())
    }

    /// Waits until the group has committed everything that is in the topic.
    #[track_caller]
    pub(crate) fn await_all_done(&self) {
        until("everything is done and committed", || {
            let (ends, committed) = (log::ends(self.stage.topic), self.committed());
            let done = ends.iter().all(|(partition, (_, end))| {
                let found = committed.get(partition);
                found.is_some_and(|found| found.watermark == *end)
            });
            holds(done, || format!("ends {ends:?}, committed {committed:?}"))
        });
    }

    /// Waits until the handler `work` has begun an attempt that satisfies a condition.
    #[track_caller]
    pub(crate) fn await_begin(&self, what: &str, wanted: impl Fn(&Line) -> bool) -> Line {
        self.await_line(What::Begin, what, wanted)
    }

    /// Waits until the handler `work` has written a line that satisfies a condition.
    #[track_caller]
    pub(crate) fn await_line(
        &self,
        kind: What,
        what: &str,
        wanted: impl Fn(&Line) -> bool,
    ) -> Line {
        until(what, || {
            let lines = self.work(kind);
            let count = lines.len();
            let found = lines.into_iter().find(|line| wanted(line));
            found.ok_or_else(|| format!("none of {count} lines of {kind:?} says so"))
        })
    }

    /// The hash under which a handler's progress is committed.
    pub(crate) fn hash(&self, handler: &str) -> u32 {
        stable_hash(&format!("{}/{handler}", self.stage.service))
    }
}

/// How often each record was begun, by partition and offset.
pub(crate) fn times(lines: &[Line]) -> BTreeMap<(i32, i64), usize> {
    let mut times = BTreeMap::new();
    for line in lines {
        *times.entry((line.partition, line.offset)).or_default() += 1;
    }
    times
}

/// Records that were begun more than once.
pub(crate) fn repeated(lines: &[Line]) -> Vec<((i32, i64), usize)> {
    let times = times(lines).into_iter();
    times.filter(|(_, count)| *count > 1).collect()
}
