//! D9: shutdown is a value.

use std::time::Duration;

use end_to_end_tests::{What, deadline, drain, impatient, stuck};

use crate::scene::{Scene, repeated};
use crate::wait::{holds, until};
use crate::worker::Worker;

const RECORDS: usize = 200;

/// SIGTERM in the middle of work: what runs is finished, what waits is left to the next, and nothing is run twice.
#[test]
fn a_terminated_worker_finishes_what_runs() {
    let scene = Scene::new(drain::STAGE, 1);
    let gate = scene.gate("slow");
    let slow = |behaviour: &mut end_to_end_tests::Behaviour| {
        behaviour.gates.insert("slow".into(), gate.clone());
        behaviour.concurrency = 4;
        behaviour.delay = Duration::from_millis(20);
    };
    let worker = scene.worker(slow);
    let mut tasks = vec![scene.task("slow")];
    tasks.extend((0..RECORDS).map(|index| scene.task(&format!("key-{}", index % 20))));
    let offsets = scene.publish(&tasks);
    scene.await_begin("the slow task runs", |line| line.key == "slow");
    scene.await_line(What::End, "other tasks are done", |line| line.key != "slow");

    worker.terminate();
    until("the worker drains", || {
        holds(worker.log().contains("draining"), || {
            "it does not say so".into()
        })
    });
    assert!(scene.work(What::End).iter().all(|line| line.key != "slow"));
    scene.open("slow");
    worker.ended().drained();

    assert_eq!(scene.work(What::Drop), [], "D9: no attempt was dropped");
    let (begun, ended) = (scene.work(What::Begin), scene.work(What::End));
    assert!(
        ended.iter().any(|line| line.key == "slow"),
        "D9: the slow task was finished"
    );
    assert_eq!(begun.len(), ended.len(), "D9: what ran was finished");
    assert!(
        ended.len() < tasks.len(),
        "the test means to stop in the middle of work"
    );

    let worker = scene.worker(slow);
    scene.await_all_done();
    worker.stop().drained();
    let begun = scene.work(What::Begin);
    assert_eq!(
        (begun.len(), repeated(&begun)),
        (tasks.len(), vec![]),
        "D9: nothing is lost or run twice"
    );
    assert_eq!(offsets.len(), tasks.len());
}

/// A handler that outlasts the deadline is abandoned, reported, and its record is handled again.
#[test]
fn what_outlasts_the_deadline_is_reported_and_run_again() {
    let scene = Scene::new(deadline::STAGE, 1);
    let gate = scene.gate("endless");
    let endless = gate.clone();
    let worker = scene.worker(move |behaviour| {
        behaviour.gates.insert("endless".into(), endless);
        behaviour.drain = Duration::from_millis(500);
    });
    scene.publish(&[scene.task("endless"), scene.task("quick")]);
    scene.await_begin("the endless task runs", |line| line.key == "endless");
    scene.await_line(What::End, "the quick task is done", |line| {
        line.key == "quick"
    });
    let ended = worker.stop();
    assert_eq!(ended.report["drained"], false, "{}", ended.report);
    assert_eq!(ended.report["abandoned"], 1, "{}", ended.report);
    assert_ne!(
        ended.status.code(),
        Some(0),
        "D9: the exit code says the same"
    );
    assert_eq!(
        scene.work(What::Drop).len(),
        1,
        "D8: the attempt was dropped before the end"
    );

    scene.open("endless");
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let keys = |what| {
        let mut keys: Vec<_> = scene.work(what).into_iter().map(|line| line.key).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(What::Begin), ["endless", "endless", "quick"]);
    assert_eq!(keys(What::End), ["endless", "quick"]);
}

/// A blocking attempt that never returns keeps its thread, and yet not the process: it ends when the drain is over.
#[test]
fn a_blocking_attempt_that_never_returns_does_not_keep_the_process() {
    let scene = Scene::new(stuck::STAGE, 1);
    let gate = scene.gate("endless");
    let worker = scene.worker(move |behaviour| {
        behaviour.gates.insert("endless".into(), gate);
        behaviour.drain = Duration::from_millis(500);
    });
    scene.publish(&[scene.task("endless"), scene.task("quick")]);
    scene.await_begin("the endless task runs", |line| line.key == "endless");
    scene.await_line(What::End, "the quick task is done", |line| {
        line.key == "quick"
    });
    // It waits until the process has ended.
    let ended = worker.stop();
    assert_eq!(ended.report["abandoned"], 1, "{}", ended.report);
    assert_eq!(ended.report["overdue"], 1, "{}", ended.report);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.report);
}

/// A second signal does not wait for the drain: it ends the process at once, says what it abandons, and that is done again.
#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let scene = Scene::new(impatient::STAGE, 1);
    let gate = scene.gate("endless");
    let endless = |behaviour: &mut end_to_end_tests::Behaviour| {
        behaviour.gates.insert("endless".into(), gate.clone());
        // Longer than any test waits.
        behaviour.drain = Duration::from_secs(240);
    };
    let quick = scene.publish(&[scene.task("endless"), scene.task("quick")])[1];
    let work = scene.hash("work");
    type Signal = fn(&Worker);
    let twice: [(Signal, i32); 2] = [(Worker::terminate, 143), (Worker::interrupt, 130)];
    for (round, (signal, status)) in twice.into_iter().enumerate() {
        let worker = scene.worker(endless);
        until("the endless task runs", || {
            let begun = scene.work(What::Begin);
            let times = begun.iter().filter(|line| line.key == "endless").count();
            holds(times > round, || format!("{times} times so far"))
        });
        until("the quick task is done for good", || {
            let committed = scene.committed();
            let found = committed.get(&0).ok_or("nothing is committed")?;
            holds(found.map.is_done(work, quick), || "it is not".into())
        });
        worker.terminate();
        until("the worker drains", || {
            holds(worker.log().contains("draining"), || {
                "it does not say so".into()
            })
        });
        signal(&worker);
        let (ended, log) = worker.gave_up();
        assert_eq!(ended.code(), Some(status), "{log}");
        for word in [
            "abandoned 1 records",
            "handled again",
            "e2e-impatient: 1 (e2e.impatient/0 from offset 0)",
        ] {
            assert!(log.contains(word), "D9: {word} is not said:\n{log}");
        }
    }

    scene.open("endless");
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();
    let done: Vec<_> = scene
        .work(What::End)
        .into_iter()
        .filter(|line| line.key == "endless")
        .collect();
    assert_eq!(done.len(), 1, "D1: what was abandoned is done again");
}
