//! D14: a topic that is deleted and made anew is told from the one before by its id, whatever its
//! length.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use end_to_end_tests::{What, outgrown, replaced};

use crate::cluster::Cluster;
use crate::log;
use crate::scene::Scene;
use crate::wait::{holds, until};
use crate::worker::Worker;

/// For longer than this a member was frozen that does not take its topic for the one before.
const FROZEN: Duration = Duration::from_secs(3);
const OLD: usize = 20;
const NEW: usize = 50;

fn keys(scene: &Scene) -> BTreeSet<String> {
    let begun = scene.work(What::Begin);
    begun.into_iter().map(|line| line.key).collect()
}

fn publish(scene: &Scene, prefix: &str, count: usize, partitions: i32) -> BTreeSet<String> {
    let named = (0..count).map(|number| format!("{prefix}-{number}"));
    let named: Vec<_> = named.collect();
    let tasks = named.iter().enumerate().map(|(number, key)| {
        let partition = number as i32 % partitions;
        scene.task(key).on(partition)
    });
    scene.publish(&tasks.collect::<Vec<_>>());
    named.into_iter().collect()
}

#[track_caller]
fn says_so(worker: &Worker) {
    until("the worker reports the other topic", || {
        let log = worker.log();
        let words = ["the topic was made anew", "--reset-offsets"];
        let said = words.iter().all(|word| log.contains(word));
        holds(said, || "it says nothing".into())
    });
}

/// While the service was stopped the topic was made anew, and has more records than the old one had,
/// in as many partitions or in more. The committed offsets are in its logs, but are no positions of
/// the group in them.
#[test]
fn a_group_whose_topic_was_made_anew_and_is_longer_holds_and_says_so() {
    let Some(cluster) = Cluster::real("a longer topic made anew", "topic ids") else {
        return;
    };
    for partitions in [2, 3] {
        let scene = Scene::new(outgrown::STAGE, 2);
        let (group, topic) = (scene.stage.service, scene.stage.topic);
        let old = publish(&scene, "old", OLD, 2);
        let worker = scene.worker(|_| {});
        scene.await_all_done();
        worker.stop().drained();
        // The broker forgets offsets of a deleted topic; a copied group still has its own.
        let committed = log::committed_whole(group, &[(topic, 0), (topic, 1)]);
        cluster.reset(&[(topic.to_owned(), partitions)], &[]);
        let mut new = publish(&scene, "new", NEW, partitions);
        log::commit_again(group, &committed);

        let worker = scene.worker(|_| {});
        says_so(&worker);
        // What it does not hold it reads: a partition for which nothing is committed.
        until("the further partition is read", || {
            let committed = scene.committed();
            let read = partitions == 2 || committed.contains_key(&2);
            holds(read, || format!("{committed:?}"))
        });
        worker.stop().drained();
        let held: BTreeSet<_> = keys(&scene).difference(&old).cloned().collect();
        let expected: BTreeSet<_> = (0..NEW)
            .filter(|number| *number as i32 % partitions == 2)
            .map(|number| format!("new-{number}"))
            .collect();
        assert_eq!(held, expected, "D14: nothing was handled of the others");
        let at = |partition| {
            scene
                .committed()
                .get(&partition)
                .map(|found| found.watermark)
        };
        let half = Some(OLD as i64 / 2);
        assert_eq!([at(0), at(1)], [half, half], "D14: no offset was moved");

        // A restart does not make positions of the new topic of them.
        let worker = scene.worker(|_| {});
        says_so(&worker);
        worker.stop().drained();
        log::reset_offset(group, topic, 0, 0);
        log::reset_offset(group, topic, 1, 0);
        let worker = scene.worker(|_| {});
        scene.await_all_done();
        worker.stop().drained();
        new.extend(old);
        assert_eq!(keys(&scene), new);
        assert_eq!(scene.work(What::Begin).len(), OLD + NEW, "each once");
    }
}

/// The same under a member that was frozen while it happened, and that reads on from where it was.
#[test]
fn a_member_does_not_read_on_in_a_longer_topic_that_was_made_while_it_was_frozen() {
    let Some(cluster) = Cluster::real("a longer topic under a member", "topic ids") else {
        return;
    };
    let scene = Scene::new(replaced::STAGE, 1);
    let topic = scene.stage.topic;
    let old = publish(&scene, "old", OLD, 1);
    let worker = scene.worker_with(&[], |_| {});
    scene.await_all_done();
    // For far less than its session: a member that sees the topic gone gives it up.
    let frozen = Instant::now();
    worker.suspend();
    cluster.reset(&[(topic.to_owned(), 1)], &[]);
    publish(&scene, "new", NEW, 1);
    until("the member was frozen for long enough", || {
        holds(frozen.elapsed() > FROZEN, || "not yet".into())
    });
    worker.resume();
    says_so(&worker);
    worker.stop().drained();
    assert_eq!(keys(&scene), old, "D14: nothing was handled");

    // Nor does the next one.
    let worker = scene.worker_with(&[], |_| {});
    says_so(&worker);
    worker.stop().drained();
    assert_eq!(keys(&scene), old, "D14: nothing was handled");
    log::reset_offset(scene.stage.service, topic, 0, 0);
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    assert_eq!(scene.work(What::Begin).len(), OLD + NEW, "each once");
}
