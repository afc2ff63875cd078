//! The service: what its handlers do with a record is told by the record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{
    Error, Meta, OneOf, Park, Result, Retry, State, Terminal, Unavailable, event, handler,
};
use events_runtime::{LaneStatus, Service};

use crate::checks::Place;

pub(crate) const TOPIC: &str = "interleaved";
pub(crate) const GROUP: &str = "interleavings";
/// Where `both` publishes.
pub(crate) const DONE: &str = "interleaved-done";

#[event(topic = "interleaved", key = key)]
pub(crate) struct Job {
    pub(crate) key: String,
    pub(crate) act: String,
    pub(crate) times: u32,
}

#[event(topic = "interleaved", key = key)]
pub(crate) struct Note {
    pub(crate) key: String,
    pub(crate) act: String,
    pub(crate) times: u32,
}

#[event(topic = "interleaved-done", key = key)]
pub(crate) struct Done {
    pub(crate) key: String,
}

#[derive(OneOf)]
enum Either {
    Job(Job),
    Note(Note),
}

/// What happened to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Began,
    Succeeded,
    Failed,
    Dropped,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) process: u64,
    pub(crate) handler: &'static str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) redriven: bool,
    pub(crate) moment: Moment,
}

impl Line {
    pub(crate) fn place(&self) -> Place {
        (self.handler, self.partition, self.offset)
    }
}

/// What all processes share.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) journal: Mutex<Vec<Line>>,
    /// Attempts so far, by handler, partition and offset.
    attempts: Mutex<HashMap<(&'static str, i32, i64), u32>>,
    /// From now on everything succeeds that can be decoded.
    pub(crate) healed: Mutex<bool>,
    /// What lanes said last.
    pub(crate) lanes: Mutex<Vec<LaneStatus>>,
}

/// One process.
pub(crate) struct Process {
    pub(crate) number: u64,
    pub(crate) world: Arc<World>,
}

struct Attempt<'a> {
    world: &'a World,
    line: Line,
    over: bool,
}

impl Attempt<'_> {
    fn end(mut self, outcome: Result<()>) -> Result<()> {
        self.over = true;
        let moment = match outcome {
            Ok(()) => Moment::Succeeded,
            Err(_) => Moment::Failed,
        };
        self.note(moment);
        outcome
    }

    fn note(&self, moment: Moment) {
        let line = Line {
            moment,
            ..self.line.clone()
        };
        self.world.journal.lock().unwrap().push(line);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.over {
            let moment = match std::thread::panicking() {
                true => Moment::Failed,
                false => Moment::Dropped,
            };
            self.note(moment);
        }
    }
}

impl Process {
    async fn attempt(
        &self,
        handler: &'static str,
        act: &str,
        times: u32,
        meta: &Meta,
    ) -> Result<()> {
        let world = &*self.world;
        let attempt = Attempt {
            world,
            line: Line {
                process: self.number,
                handler,
                partition: meta.partition,
                offset: meta.offset,
                key: meta.key.clone(),
                redriven: meta.header("x-redriven").is_some(),
                moment: Moment::Began,
            },
            over: false,
        };
        attempt.note(Moment::Began);
        let made = {
            let mut attempts = world.attempts.lock().unwrap();
            let made = attempts
                .entry((handler, meta.partition, meta.offset))
                .or_default();
            *made += 1;
            *made
        };
        let healed = *world.healed.lock().unwrap();
        let fails = !healed && made <= times;
        let outcome = match act {
            "sleeps" => {
                tokio::time::sleep(Duration::from_millis(u64::from(times) * 7)).await;
                Ok(())
            }
            "yields" => {
                for _ in 0..times {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            "fails" if fails => Err(Error::msg("it fails")),
            "fails late" if fails => {
                tokio::time::sleep(Duration::from_millis(3)).await;
                Err(Error::msg("it fails late"))
            }
            "panics" if fails => panic!("it panics"),
            "terminal"
                if made == 1 && !meta.headers.iter().any(|(name, _)| name == "x-redriven") =>
            {
                Err(Terminal::new(Error::msg("never")).into())
            }
            "away" if fails => Err(Unavailable::new(Error::msg("away")).into()),
            "hangs" if fails => std::future::pending().await,
            _ => Ok(()),
        };
        attempt.end(outcome)
    }
}

#[handler(service = "interleavings")]
async fn both(either: Either, meta: Meta, process: State<Process>) -> Result<Done> {
    let (Either::Job(Job { key, act, times }) | Either::Note(Note { key, act, times })) = either;
    process.attempt("both", &act, times, &meta).await?;
    Ok(Done { key })
}

#[handler(service = "interleavings", concurrency = 3)]
async fn jobs(job: Job, meta: Meta, process: State<Process>) -> Result<()> {
    process.attempt("jobs", &job.act, job.times, &meta).await
}

#[handler(service = "interleavings", park = "off")]
async fn notes(note: Note, meta: Meta, process: State<Process>) -> Result<()> {
    process.attempt("notes", &note.act, note.times, &meta).await
}

#[handler(service = "interleavings", ordering = "none")]
async fn loose(note: Note, meta: Meta, process: State<Process>) -> Result<()> {
    process
        .attempt(UNORDERED, &note.act, note.times, &meta)
        .await
}

/// The handler that wants no order.
pub(crate) const UNORDERED: &str = "loose";

/// Handlers, with the types that they take.
pub(crate) const HANDLERS: [(&str, &[&str]); 4] = [
    ("both", &["Job", "Note"]),
    ("jobs", &["Job"]),
    ("notes", &["Note"]),
    (UNORDERED, &["Note"]),
];

pub(crate) fn service(number: u64, world: &Arc<World>) -> Service {
    let process = Process {
        number,
        world: Arc::clone(world),
    };
    Service::new(GROUP)
        .shared_state(Arc::new(process))
        .configure(|settings| {
            settings.commit_interval = Duration::from_millis(20);
            settings.retry = Retry {
                attempts: 2,
                min: Duration::from_millis(5),
                max: Duration::from_millis(20),
            };
            settings.park = Some(Park {
                min: Duration::from_millis(50),
                max: Duration::from_millis(200),
                max_age: Duration::from_secs(3),
            });
            settings.timeout = Duration::from_millis(400);
            settings.hold_probe = (Duration::from_millis(10), Duration::from_millis(50));
            settings.hold_max = Duration::from_secs(2);
            settings.breaker_keys = 4;
            settings.drain = Duration::from_secs(3_600);
            settings.stall = Duration::from_secs(3600);
            settings.batch = 16;
            settings.lane_records = 64;
            settings.lane_held = 32;
            settings.lane_ahead = 300;
            settings.dedupe_window = 24;
            settings.parked_per_key = 6;
            settings.parked_records = 200;
            settings.commit_records = 100;
        })
}
