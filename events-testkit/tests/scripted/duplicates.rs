//! Duplicates, told apart for each handler by source and id (D3 b).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{Error, Meta, OneOf, Result, State, Terminal, event, handler, stable_hash};
use events_runtime::offset_map::OffsetMap;
use events_runtime::{Position, Service};
use tokio::sync::Semaphore;

use super::log::{Entry, Member, at};

const TOPIC: &str = "twice";

#[event(topic = "twice", key = key)]
struct Job {
    key: String,
}

#[event(topic = "twice", key = key)]
struct Note {
    key: String,
}

#[event(topic = "twice-done", key = key)]
struct Done {
    key: String,
}

#[derive(OneOf)]
enum Either {
    Job(Job),
    Note(Note),
}

/// What attempts do, by offset, and what they did.
#[derive(Default)]
struct Script {
    gates: Mutex<BTreeMap<i64, Arc<Semaphore>>>,
    given_up: Mutex<Vec<i64>>,
    handled: Mutex<Vec<(&'static str, i64)>>,
}

impl Script {
    /// Attempts at the record wait until the gate is opened.
    fn gate(&self, offset: i64) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.gates.lock().unwrap().insert(offset, Arc::clone(&gate));
        gate
    }

    async fn attempt(&self, handler: &'static str, offset: i64) -> Result<()> {
        let gate = self.gates.lock().unwrap().get(&offset).cloned();
        if let Some(gate) = gate {
            gate.acquire().await?.forget();
        }
        if self.given_up.lock().unwrap().contains(&offset) {
            return Err(Terminal::new(Error::msg("never")).into());
        }
        self.handled.lock().unwrap().push((handler, offset));
        Ok(())
    }

    fn handled(&self) -> Vec<(&'static str, i64)> {
        let mut handled = self.handled.lock().unwrap().clone();
        handled.sort_unstable();
        handled
    }
}

#[handler(service = "twice")]
async fn work(job: Job, meta: Meta, script: State<Script>) -> Result<Done> {
    script.attempt("work", meta.offset).await?;
    Ok(Done { key: job.key })
}

#[handler(service = "twice-types")]
async fn tasks(_job: Job, meta: Meta, script: State<Script>) -> Result<()> {
    script.attempt("tasks", meta.offset).await
}

#[handler(service = "twice-types")]
async fn notes(_note: Note, meta: Meta, script: State<Script>) -> Result<()> {
    script.attempt("notes", meta.offset).await
}

#[handler(service = "twice-types")]
async fn both(either: Either, meta: Meta, script: State<Script>) -> Result<()> {
    let (Either::Job(Job { key }) | Either::Note(Note { key })) = either;
    assert_eq!(key, "a");
    script.attempt("both", meta.offset).await
}

fn member(service: &str, script: &Arc<Script>, from: &Position) -> Member {
    let service = Service::new(service)
        .shared_state(Arc::clone(script))
        .configure(|settings| settings.timeout = Duration::from_secs(24 * 3600));
    Member::start(service, TOPIC, from)
}

fn task(offset: i64, key: &str, id: &str) -> Entry {
    Entry::new(TOPIC, offset, "Job", key).id(id)
}

fn is_done(position: &Position, offset: i64) -> bool {
    let map = OffsetMap::decode(position.watermark, &position.metadata);
    offset < position.watermark || map.is_done(stable_hash("twice/work"), offset)
}

/// Compaction removes a first bearer as soon as its duplicate stands behind it: then that alone comes after a kill.
#[tokio::test(start_paused = true)]
async fn a_duplicate_is_handled_if_its_first_bearer_was_not_done_and_is_gone() {
    let script = Arc::new(Script::default());
    let _closed = script.gate(10);
    let first = member("twice", &script, &at(10));
    first.log.push([task(10, "a", "x"), task(20, "a", "x")]);
    let position = first.settled().await;
    assert!(
        !is_done(&position, 10) && !is_done(&position, 20),
        "{position:?}"
    );
    first.group().abort();
    let next = member("twice", &script, &position);
    next.log.push([task(20, "a", "x")]);
    assert_eq!(next.settled().await.watermark, 21);
    assert_eq!(script.handled(), [("work", 20)]);
}

/// Also of another key: a duplicate is done when its first bearer is, with what that emitted, and no earlier.
#[tokio::test(start_paused = true)]
async fn a_duplicate_is_done_when_its_first_bearer_is() {
    let script = Arc::new(Script::default());
    let member = member("twice", &script, &at(0));
    member.topics.hold();
    member.log.push([
        task(0, "a", "x"),
        task(1, "b", "x"),
        task(2, "b", "y"),
        task(3, "c", "z"),
    ]);
    let position = member.settled().await;
    assert_eq!(script.handled(), [("work", 0), ("work", 3)]);
    assert!(
        (0..4).all(|offset| !is_done(&position, offset)),
        "{position:?}"
    );
    assert_eq!(member.lane().duplicates, 1);
    member.topics.answer();
    assert_eq!(member.settled().await.watermark, 4);
    assert_eq!(script.handled(), [("work", 0), ("work", 2), ("work", 3)]);
    assert_eq!(member.lane().in_flight, 0);
    // One that comes later is done at once.
    member.log.push([task(4, "a", "x")]);
    assert_eq!(member.settled().await.watermark, 5);
    assert_eq!(member.topics.written.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_first_bearer_that_cannot_be_decoded_makes_no_duplicates() {
    let script = Arc::new(Script::default());
    let member = member("twice", &script, &at(0));
    member.log.push([
        task(0, "a", "x").mangled(),
        task(1, "a", "x"),
        task(2, "a", "x"),
    ]);
    assert_eq!(member.settled().await.watermark, 3);
    assert_eq!(script.handled(), [("work", 1)]);
    // And one that comes after it was given up.
    member.log.push([task(3, "a", "y").mangled()]);
    member.settled().await;
    member.log.push([task(4, "a", "y"), task(5, "a", "y")]);
    assert_eq!(member.settled().await.watermark, 6);
    assert_eq!(script.handled(), [("work", 1), ("work", 4)]);
}

/// The next bearer takes the place of one that was given up, before later records of its own key (D2).
#[tokio::test(start_paused = true)]
async fn the_next_bearer_takes_the_place_of_one_that_was_given_up() {
    let script = Arc::new(Script::default());
    let gate = script.gate(0);
    script.given_up.lock().unwrap().extend([0, 1]);
    let member = member("twice", &script, &at(0));
    member.log.push([
        task(0, "a", "x"),
        task(1, "b", "x"),
        task(2, "b", "y"),
        task(3, "c", "x"),
        task(4, "c", "z"),
        task(5, "b", "x"),
    ]);
    let position = member.settled().await;
    assert_eq!(position.watermark, 0);
    assert_eq!(
        script.handled(),
        [],
        "all wait for the first, or behind one that does"
    );
    gate.add_permits(1);
    assert_eq!(member.settled().await.watermark, 6);
    let handled = script.handled.lock().unwrap().clone();
    assert_eq!(script.handled(), [("work", 2), ("work", 3), ("work", 4)]);
    let place = |offset| handled.iter().position(|(_, other)| *other == offset);
    assert!(place(3) < place(4), "{handled:?}");
}

/// A handler whose types did not bear the id has seen no first bearer; each has its own.
#[tokio::test(start_paused = true)]
async fn each_handler_tells_its_own_duplicates() {
    let script = Arc::new(Script::default());
    let member = member("twice-types", &script, &at(0));
    let note = |offset| Entry::new(TOPIC, offset, "Note", "a").id("x");
    member
        .log
        .push([task(0, "a", "x"), note(1), note(2), task(3, "a", "x")]);
    assert_eq!(member.settled().await.watermark, 4);
    assert_eq!(script.handled(), [("both", 0), ("notes", 1), ("tasks", 0)]);
}

/// What was done before a kill may have been given up, so it makes no duplicates.
#[tokio::test(start_paused = true)]
async fn what_was_given_up_before_a_kill_makes_no_duplicates() {
    let script = Arc::new(Script::default());
    let _closed = script.gate(0);
    let first = member("twice", &script, &at(0));
    first
        .log
        .push([task(0, "slow", "s"), task(1, "a", "x").mangled()]);
    let position = first.settled().await;
    assert!(
        position.watermark == 0 && is_done(&position, 1),
        "{position:?}"
    );
    first.group().abort();
    let next = member("twice", &script, &position);
    next.log.push([
        task(0, "slow", "s"),
        task(1, "a", "x").mangled(),
        task(2, "a", "x"),
    ]);
    let position = next.settled().await;
    assert!(is_done(&position, 2), "{position:?}");
    assert_eq!(script.handled(), [("work", 2)]);
}

/// A drain begins nothing, and what it leaves is not done.
#[tokio::test(start_paused = true)]
async fn a_drain_finishes_a_first_bearer_and_its_duplicates() {
    let script = Arc::new(Script::default());
    let gate = script.gate(0);
    let member = member("twice", &script, &at(0));
    member
        .log
        .push([task(0, "a", "x"), task(1, "b", "x"), task(2, "b", "y")]);
    member.settled().await;
    gate.add_permits(1);
    let revoked = member.group().shutdown(Duration::from_secs(10)).await;
    assert_eq!(revoked.positions[0].1.watermark, 2);
    assert_eq!(script.handled(), [("work", 0)]);
}
