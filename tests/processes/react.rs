//! D1, D3 and D4: a handler reacts with an event, and is killed while it does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use end_to_end_tests::react;

use crate::log::{self, Found};
use crate::scene::{SHORT_SESSIONS, Scene};
use crate::wait::{holds, until};

const PARTITIONS: i32 = 2;
/// Records of each of the three rounds.
const ROUND: usize = 120;
const SOON: Duration = Duration::from_millis(50);
/// No commit before the kill.
const LATE: Duration = Duration::from_secs(3600);

/// Whatever is killed whenever: each task has its reaction in the log before its offset is committed, and whoever reads
/// the reactions and tells them apart by id sees each exactly once.
#[test]
fn reactions_are_in_the_log_before_their_causes_are_committed() {
    let scene = Scene::with_topics(react::STAGE, PARTITIONS, &[react::DONE_TOPIC]);
    let start = |commit_interval, linger| {
        let properties = [SHORT_SESSIONS, &[("KAFKA_LINGER_MS", linger)]].concat();
        scene.worker_with(&properties, |behaviour| {
            behaviour.commit_interval = commit_interval;
            behaviour.delay = Duration::from_millis(2);
        })
    };
    let publish = || {
        let task = |number: usize| {
            let key = format!("key-{}", number % 40);
            scene.task(&key).on((number % 2) as i32)
        };
        scene.publish(&(0..ROUND).map(task).collect::<Vec<_>>());
    };

    // Acknowledgements come long after the handler has returned, and many commits later.
    let worker = start(SOON, "700");
    publish();
    follow(&scene, "half of the first round is committed", |now| {
        now.committed >= ROUND / 2
    });
    worker.kill();
    check(&scene);

    // Reactions are acknowledged, and the worker is killed before it commits anything: they are made again.
    let worker = start(LATE, "1");
    publish();
    follow(&scene, "the second round has reactions", |now| {
        now.written >= now.committed + ROUND / 2
    });
    worker.kill();
    check(&scene);

    let worker = start(SOON, "1");
    publish();
    let now = follow(&scene, "everything is committed", |now| {
        now.committed == 3 * ROUND
    });
    worker.stop().drained();
    let reactions = check(&scene);
    assert_eq!(
        reactions.len(),
        3 * ROUND,
        "D4: a re-run emits the same ids"
    );
    assert!(
        now.written > reactions.len(),
        "this test means to have reactions made again"
    );
}

/// Numbers of tasks and of reactions.
struct Now {
    committed: usize,
    written: usize,
}

/// Waits for numbers, and all the while sees that no task is committed before its reaction is written.
fn follow(scene: &Scene, what: &str, enough: impl Fn(&Now) -> bool) -> Now {
    until(what, || {
        // Read first: reactions only become more.
        let committed = scene.committed().into_values();
        let committed: i64 = committed.map(|found| found.watermark).sum();
        let written = log::ends(react::DONE_TOPIC).into_values();
        let written: i64 = written.map(|(_, end)| end).sum();
        assert!(
            committed <= written,
            "D1: {committed} tasks are committed, {written} reactions are in the log"
        );
        let now = Now {
            committed: committed as usize,
            written: written as usize,
        };
        holds(enough(&now), || {
            format!("{committed} are committed, {written} are written")
        })?;
        Ok(now)
    })
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
