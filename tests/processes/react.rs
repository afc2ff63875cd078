//! D1, D3 and D4: a handler reacts with an event, and is killed while it does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use end_to_end_tests::react;

use crate::log::{self, Found};
use crate::scene::{SHORT_SESSIONS, Scene};
use crate::wait::{holds, until};
use crate::worker::Worker;

const PARTITIONS: i32 = 2;
const RECORDS: usize = 400;
/// Kills while records come in.
const KILLS: usize = 2;

/// Whatever is killed whenever: each task has its reaction in the log before its offset is committed, and whoever reads
/// the reactions and tells them apart by id sees each exactly once.
#[test]
fn reactions_are_in_the_log_before_their_causes_are_committed() {
    let scene = Scene::with_topics(react::STAGE, PARTITIONS, &[react::DONE_TOPIC]);
    let mut properties = SHORT_SESSIONS.to_vec();
    // Acknowledgements come long after the handler has returned, and many commit ticks later.
    properties.push(("KAFKA_LINGER_MS", "700"));
    let start = || {
        scene.worker_with(&properties, |behaviour| {
            behaviour.commit_interval = Duration::from_millis(50);
            behaviour.delay = Duration::from_millis(2);
        })
    };
    let tasks: Vec<_> = (0..RECORDS)
        .map(|number| {
            scene
                .task(&format!("key-{}", number % 40))
                .on((number % 2) as i32)
        })
        .collect();
    let part = RECORDS / (KILLS + 1);
    let mut worker = start();
    for (round, tasks) in tasks.chunks(part).enumerate() {
        scene.publish(tasks);
        if round < KILLS {
            let goal = round * part + part / 2;
            follow(&scene, "half of a round is committed", |committed| {
                committed >= goal
            });
            worker.kill();
            check(&scene);
            worker = start();
        }
    }
    let last: Worker = worker;
    follow(&scene, "everything is committed", |committed| {
        committed == RECORDS
    });
    last.stop().drained();
    let reactions = check(&scene);
    assert_eq!(reactions.len(), RECORDS, "D4: a re-run emits the same ids");
}

/// Waits for a number of committed tasks, and all the while sees that none is committed before its reaction is written.
fn follow(scene: &Scene, what: &str, enough: impl Fn(usize) -> bool) {
    until(what, || {
        // Read first: reactions only become more.
        let committed: i64 = scene
            .committed()
            .values()
            .map(|found| found.watermark)
            .sum();
        let written: i64 = log::ends(react::DONE_TOPIC)
            .values()
            .map(|(_, end)| end)
            .sum();
        assert!(
            committed <= written,
            "D1: {committed} tasks are committed, {written} reactions are in the log"
        );
        holds(enough(committed as usize), || {
            format!("{committed} are committed")
        })
    });
}

/// Sees that each committed task has its reaction; answers all reactions by id.
fn check(scene: &Scene) -> BTreeMap<String, Found> {
    let committed = scene.committed();
    let mut reactions: BTreeMap<String, Found> = BTreeMap::new();
    let mut caused = BTreeSet::new();
    for record in log::records(react::DONE_TOPIC) {
        let (id, cause) = (
            record.header("ce_id").to_owned(),
            record.header("ce_causationid").to_owned(),
        );
        assert_eq!(record.header("ce_type"), "ReactDone");
        assert_eq!(record.header("ce_source"), scene.stage.service);
        assert_eq!(record.header("ce_hops"), "1");
        if let Some(known) = reactions.get(&id) {
            assert_eq!(
                (&known.key, &known.value),
                (&record.key, &record.value),
                "D4: one id, one event"
            );
            assert_eq!(
                known.header("ce_causationid"),
                cause,
                "D4: one id, one cause"
            );
        } else {
            assert!(
                caused.insert(cause.clone()),
                "D4: task {cause} has two reactions"
            );
            reactions.insert(id, record);
        }
    }
    for task in log::records(scene.stage.topic) {
        let done = committed
            .get(&task.partition)
            .is_some_and(|found| task.offset < found.watermark);
        let id = task.header("ce_id");
        assert!(
            !done || caused.contains(id),
            "D1: task {id} is committed and its reaction is lost"
        );
    }
    reactions
}
