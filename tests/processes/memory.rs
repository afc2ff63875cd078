//! D7: the memory of a process is within what `check` prints for it.

use std::fs;
use std::time::Duration;

use end_to_end_tests::{Behaviour, What, resident};

use crate::scene::Scene;
use crate::worker::{Worker, check};

const PARTITIONS: i32 = 60;
/// Records of each partition, and bytes of each: 4.4 MiB, which the embedded cluster keeps.
const RECORDS: usize = 72;
const BYTES: usize = 64 << 10;
/// What all partitions together have is far more than that.
const PROCESS: usize = 32 << 20;
/// What the process takes beside its records: code, threads, and what the allocator keeps.
const BESIDE: u64 = 48 << 20;

/// The peak of resident memory while all partitions have more records than their lanes may hold.
#[test]
fn resident_memory_is_within_what_check_prints() {
    let scene = Scene::new(resident::STAGE, PARTITIONS);
    let bounded = |behaviour: &mut Behaviour| {
        behaviour.process_bytes = Some(PROCESS);
        // Far slower than the client fetches, so that every bound is met.
        behaviour.concurrency = 2;
        behaviour.delay = Duration::from_millis(200);
    };
    let value = format!(r#"{{"key":"k","padding":"{}"}}"#, "x".repeat(BYTES));
    for partition in 0..PARTITIONS {
        let tasks = (0..RECORDS).map(|index| {
            let task = scene.task(&format!("key-{index}")).on(partition);
            task.valued(Some(value.as_bytes()))
        });
        scene.publish(&tasks.collect::<Vec<_>>());
    }
    let found = check(&scene.behaviour(bounded));
    let memory = &found["memory"][0];
    assert_eq!(memory["lanes"], PARTITIONS, "{found}");
    let bound = memory["bytes"].as_u64().expect("a number of bytes");

    let worker = scene.worker(bounded);
    scene.await_all_done();
    let peak = peak(&worker);
    worker.stop().drained();
    assert_eq!(scene.work(What::End).len(), PARTITIONS as usize * RECORDS);
    let all = PARTITIONS as u64 * (RECORDS * BYTES) as u64;
    assert!(
        bound + BESIDE < all,
        "the test means to have more records than fit: {bound}"
    );
    assert!(
        peak <= bound + BESIDE,
        "D7: {peak} bytes were resident, {bound} are printed"
    );
}

/// Bytes that were resident at most so far.
fn peak(worker: &Worker) -> u64 {
    let path = format!("/proc/{}/status", worker.pid());
    let status = fs::read_to_string(path).expect("the worker runs, on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.and_then(|number| number.parse::<u64>().ok());
    kibibytes.expect("the peak of resident memory") << 10
}
