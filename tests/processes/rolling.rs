//! D2 and D8: workers come and go under load.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use end_to_end_tests::{Line, Stage, What, rolling_classic, rolling_consumer};

use crate::cluster::Cluster;
use crate::scene::{SHORT_SESSIONS, Scene, repeated};
use crate::wait::{holds, until};
use crate::worker::Worker;

const PARTITIONS: i32 = 4;
const KEYS: usize = 24;
/// Records that are written at once; the next follow when the first of these are being handled.
const BURST: usize = 48;
/// Most records that are written and not handled, so that there is always work and never much.
const BACKLOG: usize = 192;

#[test]
fn a_rolling_restart_runs_nothing_twice() {
    // While members join, its coordinator refuses the commits that end a drain; Apache Kafka's takes them.
    if Cluster::real("a rolling restart", "commits while members join").is_some() {
        roll(rolling_classic::STAGE, SHORT_SESSIONS);
    }
}

#[test]
fn a_rolling_restart_runs_nothing_twice_under_the_consumer_protocol() {
    if Cluster::real("a rolling restart under KIP-848", "such group protocol").is_some() {
        roll(
            rolling_consumer::STAGE,
            &[("KAFKA_GROUP_PROTOCOL", "consumer")],
        );
    }
}

/// One worker, then three, then each of the first two leaves, so that the last has everything.
fn roll(stage: Stage, properties: &[(&str, &str)]) {
    let scene = Scene::new(stage, PARTITIONS);
    let enough = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let load = scope.spawn(|| load(&scene, &enough));
        // Whatever fails below, the load must end, or the scope waits for ever.
        let stop = StopOnDrop(&enough);
        let start = || {
            scene.worker_with(properties, |behaviour| {
                // Slow enough that every partition has work whenever a worker comes or goes.
                behaviour.delay = Duration::from_millis(40);
                behaviour.commit_interval = Duration::from_millis(500);
            })
        };
        let first = start();
        works(&scene, &[&first]);
        let (second, third) = (start(), start());
        works(&scene, &[&first, &second, &third]);
        first.stop().drained();
        works(&scene, &[&second, &third]);
        second.stop().drained();
        works(&scene, &[&third]);
        drop(stop);
        let written = load.join().expect("the load is written");
        scene.await_all_done();
        third.stop().drained();
        written
    });
    check(&scene, written);
}

/// Waits until each of the workers has done something new, and between them every partition was served.
fn works(scene: &Scene, workers: &[&Worker]) {
    let known = scene.work(What::End).len();
    until("every worker works, and every partition is served", || {
        let lines = scene.work(What::End);
        let new = &lines[known.min(lines.len())..];
        let idle: Vec<_> = workers
            .iter()
            .map(|worker| worker.pid())
            .filter(|pid| new.iter().all(|line| line.pid != *pid))
            .collect();
        let unserved: Vec<_> = (0..PARTITIONS)
            .filter(|partition| new.iter().all(|line| line.partition != *partition))
            .collect();
        holds(idle.is_empty() && unserved.is_empty(), || {
            format!(
                "idle {idle:?}, unserved {unserved:?} after {} new lines",
                new.len()
            )
        })
    });
}

/// Writes tasks as fast as they are handled; answers how many.
fn load(scene: &Scene, enough: &AtomicBool) -> usize {
    let mut written = 0;
    while !enough.load(Ordering::Relaxed) {
        let tasks: Vec<_> = (written..written + BURST)
            .map(|number| {
                let key = number % KEYS;
                scene
                    .task(&format!("key-{key}"))
                    .on((key % PARTITIONS as usize) as i32)
            })
            .collect();
        scene.publish(&tasks);
        written += BURST;
        until("the workers keep up", || {
            let done = scene.work(What::End).len();
            let go = done + BACKLOG >= written || enough.load(Ordering::Relaxed);
            holds(go, || format!("{done} of {written} are done"))
        });
    }
    written
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn check(scene: &Scene, written: usize) {
    let (begun, ended) = (scene.work(What::Begin), scene.work(What::End));
    assert_eq!(repeated(&begun), [], "D8: nothing is run twice");
    assert_eq!(
        (begun.len(), ended.len()),
        (written, written),
        "D1: nothing is lost"
    );
    let mut keys: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in scene.lines() {
        keys.entry(line.key.clone()).or_default().push(line);
    }
    assert_eq!(keys.len(), KEYS);
    for (key, lines) in keys {
        // The order of lines is the order of writes, whichever process made them.
        for pair in lines.chunks(2) {
            let [begin, end] = pair else {
                panic!("{key}: a line without its pair");
            };
            assert_eq!(
                (begin.what, end.what),
                (What::Begin, What::End),
                "D2: attempts of {key} overlap"
            );
            assert_eq!(begin.offset, end.offset, "D2: attempts of {key} overlap");
        }
        assert!(
            lines.is_sorted_by_key(|line| line.offset),
            "D2: {key} is out of order"
        );
    }
    let pids: std::collections::BTreeSet<_> = begun.iter().map(|line| line.pid).collect();
    assert_eq!(pids.len(), 3, "each worker had its part");
    assert_eq!(scene.dead_letters(), []);
}
