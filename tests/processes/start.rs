//! D14: where a group starts is decided, not defaulted.

use std::collections::BTreeSet;

use end_to_end_tests::{StartAt, What, earliest, growing, latest, overtaken, renewed, since};

use crate::cluster::Cluster;
use crate::log;
use crate::scene::{SHORT_SESSIONS, Scene, repeated};
use crate::wait::{holds, until};

const RECORDS: usize = 20;
/// 2024-01-01, and an hour later.
const OLD: i64 = 1_704_067_200_000;
const NEW: i64 = OLD + 3_600_000;

/// Keys of the tasks that were begun.
fn keys(scene: &Scene) -> BTreeSet<String> {
    scene
        .work(What::Begin)
        .into_iter()
        .map(|line| line.key)
        .collect()
}

fn named(prefix: &str) -> BTreeSet<String> {
    (0..RECORDS)
        .map(|number| format!("{prefix}-{number}"))
        .collect()
}

#[test]
fn a_new_group_starts_at_the_beginning() {
    let scene = Scene::new(earliest::STAGE, 1);
    let tasks: Vec<_> = named("old").iter().map(|key| scene.task(key)).collect();
    scene.publish(&tasks);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    assert_eq!(keys(&scene), named("old"));
}

/// Nothing that was there before, everything that comes later, also while the service is away.
#[test]
fn a_new_group_can_start_at_the_end() {
    let scene = Scene::new(latest::STAGE, 1);
    let tasks: Vec<_> = named("old").iter().map(|key| scene.task(key)).collect();
    let end = scene.publish(&tasks).last().map_or(0, |last| last + 1);
    let from_end = |behaviour: &mut end_to_end_tests::Behaviour| behaviour.start = StartAt::Latest;
    let worker = scene.worker(from_end);
    // The position is committed although nothing has come: otherwise the next start would skip what came meanwhile.
    until("the group has committed where it starts", || {
        let committed = scene.committed();
        let at = committed.get(&0).map(|found| found.watermark);
        holds(at == Some(end), || {
            format!("committed {at:?}, the end is {end}")
        })
    });
    worker.stop().drained();
    let tasks: Vec<_> = named("new").iter().map(|key| scene.task(key)).collect();
    scene.publish(&tasks);
    let worker = scene.worker(from_end);
    scene.await_all_done();
    worker.stop().drained();
    assert_eq!(keys(&scene), named("new"));
}

#[test]
fn a_new_group_can_start_at_a_time() {
    if Cluster::real("a group that starts at a time", "search by time").is_none() {
        return;
    }
    let scene = Scene::new(since::STAGE, 1);
    let old = named("old");
    let mut tasks: Vec<_> = old.iter().map(|key| scene.task(key).at(OLD)).collect();
    let new = named("new");
    tasks.extend(new.iter().map(|key| scene.task(key).at(NEW)));
    scene.publish(&tasks);
    let worker = scene.worker(|behaviour| behaviour.start = StartAt::Time(NEW - 1));
    scene.await_all_done();
    worker.stop().drained();
    assert_eq!(keys(&scene), named("new"));
}

/// A partition that is added later is news from its first record on, whatever the group's start.
#[test]
fn a_partition_that_is_added_later_is_read_from_its_beginning() {
    let Some(cluster) = Cluster::real("a topic that grows", "way to add partitions") else {
        return;
    };
    let scene = Scene::new(growing::STAGE, 1);
    scene.publish(&[scene.task("old")]);
    let mut properties = SHORT_SESSIONS.to_vec();
    properties.push(("KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS", "500"));
    let worker = scene.worker_with(&properties, |behaviour| behaviour.start = StartAt::Latest);
    until("the group has committed where it starts", || {
        holds(!scene.committed().is_empty(), || {
            "nothing is committed".into()
        })
    });
    // Stopped, so that these are written before it can know of the partition: what starts at the end would miss them.
    worker.suspend();
    cluster.grow(scene.stage.topic, 2);
    let tasks: Vec<_> = named("new")
        .iter()
        .map(|key| scene.task(key).on(1))
        .collect();
    scene.publish(&tasks);
    assert_eq!(
        keys(&scene),
        BTreeSet::new(),
        "the member learnt of the partition too early for this test"
    );
    worker.resume();
    scene.await_all_done();
    worker.stop().drained();
    assert_eq!(keys(&scene), named("new"));
}

/// Retention overtook the group: it holds and says what to do, and goes on where an operator says.
#[test]
fn a_group_that_retention_overtook_holds_and_says_so() {
    let Some(cluster) = Cluster::real("a log that retention cut", "way to delete records") else {
        return;
    };
    let scene = Scene::new(overtaken::STAGE, 1);
    scene.publish(&[scene.task("first"), scene.task("second")]);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let committed = scene.committed();
    let tasks: Vec<_> = named("new").iter().map(|key| scene.task(key)).collect();
    let offsets = scene.publish(&tasks);
    let cut = offsets[RECORDS / 2];
    cluster.cut(scene.stage.topic, 0, cut);

    let worker = scene.worker(|_| {});
    until("the worker reports the hole", || {
        let log = worker.log();
        let said = log.contains("the committed offset is not in the log")
            && log.contains("--reset-offsets");
        holds(said, || "it says nothing".into())
    });
    worker.stop().drained();
    assert_eq!(
        scene.committed(),
        committed,
        "D14: the group's offset is not reset silently"
    );
    assert_eq!(
        keys(&scene).len(),
        2,
        "D14: nothing was handled behind the hole"
    );

    log::reset_offset(scene.stage.service, scene.stage.topic, 0, cut);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let begun = scene.work(What::Begin);
    assert_eq!((begun.len(), repeated(&begun)), (2 + RECORDS / 2, vec![]));
}

/// The topic was deleted and made anew: what is committed lies beyond its end. The group holds, under a running member and
/// for one that starts, and goes on where an operator says.
#[test]
fn a_group_whose_topic_was_made_anew_holds_and_says_so() {
    let Some(cluster) = Cluster::real("a topic that is made anew", "way to delete a topic") else {
        return;
    };
    let scene = Scene::new(renewed::STAGE, 1);
    let old: Vec<_> = named("old").iter().map(|key| scene.task(key)).collect();
    scene.publish(&old);
    let properties = [("KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS", "500")];
    let says_so = |worker: &crate::worker::Worker| {
        until("the worker reports the offset", || {
            let log = worker.log();
            let said = log.contains("the committed offset is not in the log")
                && log.contains("--reset-offsets");
            holds(said, || "it says nothing".into())
        });
    };
    let worker = scene.worker_with(&properties, |_| {});
    scene.await_all_done();
    // Stopped, for far less than its session: a member that sees the topic gone gives it up, and begins the new one anew.
    worker.suspend();
    cluster.reset(&[(scene.stage.topic.to_owned(), 1)], &[]);
    scene.publish(&[scene.task("new-1"), scene.task("new-2")]);
    worker.resume();
    says_so(&worker);
    worker.stop().drained();
    assert_eq!(keys(&scene), named("old"), "D14: nothing was handled");

    // The broker forgets offsets of a deleted topic; a member that was away, or a copied group, still has its own.
    let end = RECORDS as i64;
    log::reset_offset(scene.stage.service, scene.stage.topic, 0, end);
    let worker = scene.worker_with(&properties, |_| {});
    says_so(&worker);
    worker.stop().drained();
    let at = scene.committed().get(&0).map(|found| found.watermark);
    assert_eq!(
        at,
        Some(end),
        "D14: the group's offset is not reset silently"
    );
    assert_eq!(keys(&scene), named("old"), "D14: nothing was handled");

    log::reset_offset(scene.stage.service, scene.stage.topic, 0, 0);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let begun = scene.work(What::Begin).len();
    assert_eq!(begun, RECORDS + 2, "each was handled once");
}
