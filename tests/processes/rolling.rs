//! D2 and D8: workers come and go under load.

use std::collections::{BTreeMap, BTreeSet};
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
    let keys: BTreeSet<_> = begun.iter().map(|line| &line.key).collect();
    assert_eq!(keys.len(), KEYS);
    assert_eq!(order_faults(&scene.lines()), Vec::<String>::new(), "D2");
    let pids: BTreeSet<_> = begun.iter().map(|line| line.pid).collect();
    assert_eq!(pids.len(), 3, "each worker had its part");
    assert_eq!(scene.dead_letters(), []);
}

/// What of a history breaks the order of a key: attempts that overlap, offsets that go back, a begin without its end. The
/// order of lines is the order of writes, whichever process made them.
fn order_faults(lines: &[Line]) -> Vec<String> {
    let mut keys: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        keys.entry(&line.key).or_default().push(line);
    }
    let mut faults = Vec::new();
    for (key, lines) in keys {
        for pair in lines.chunks(2) {
            match pair {
                [begin, end]
                    if (begin.what, end.what) == (What::Begin, What::End)
                        && (begin.partition, begin.offset) == (end.partition, end.offset) => {}
                [_, _] => faults.push(format!("attempts of {key} overlap: {pair:?}")),
                _ => faults.push(format!("{key}: a line without its pair: {pair:?}")),
            }
        }
        if !lines.is_sorted_by_key(|line| line.offset) {
            faults.push(format!("{key} is out of order"));
        }
    }
    faults
}

fn line(pid: u32, what: What, key: &str, offset: i64) -> Line {
    Line {
        at: 0,
        pid,
        handler: "work".into(),
        what,
        id: offset.to_string(),
        key: key.to_owned(),
        partition: 0,
        offset,
        attempt: 1,
    }
}

/// The check itself: each way to break the order is seen, and a good history, also over processes, is not blamed.
#[test]
fn a_broken_order_is_seen() {
    use What::{Begin, Drop, End};
    let seen = |history: &[(u32, What, &str, i64)]| {
        let lines: Vec<_> = history
            .iter()
            .map(|(pid, what, key, offset)| line(*pid, *what, key, *offset))
            .collect();
        order_faults(&lines)
    };
    // Other keys may come in between; the next process goes on.
    let good = [
        (1, Begin, "a", 0),
        (1, Begin, "b", 1),
        (1, End, "b", 1),
        (1, End, "a", 0),
        (2, Begin, "a", 2),
        (2, End, "a", 2),
    ];
    assert_eq!(seen(&good), Vec::<String>::new());
    let swapped = [
        (1, Begin, "a", 2),
        (1, End, "a", 2),
        (2, Begin, "a", 0),
        (2, End, "a", 0),
    ];
    assert_eq!(seen(&swapped), ["a is out of order"]);
    let broken: [&[(u32, What, &str, i64)]; 4] = [
        // Two processes at once.
        &[
            (1, Begin, "a", 0),
            (2, Begin, "a", 1),
            (1, End, "a", 0),
            (2, End, "a", 1),
        ],
        &[(1, Begin, "a", 0), (2, End, "a", 1)],
        &[(1, Begin, "a", 0), (1, Drop, "a", 0)],
        &[(1, Begin, "a", 0)],
    ];
    for history in broken {
        assert!(!seen(history).is_empty(), "{history:?}");
    }
}
