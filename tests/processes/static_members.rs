//! D8 and D12: members that keep their place in the group by a `group.instance.id`.

use std::time::Duration;

use end_to_end_tests::{Behaviour, What, fenced, frozen, unreleased};

use crate::cluster::Cluster;
use crate::scene::{SHORT_SESSIONS, Scene};
use crate::wait::{holds, until};
use crate::worker::Worker;

const CLASSIC: &[(&str, &str)] = SHORT_SESSIONS;
const CONSUMER: &[(&str, &str)] = &[("KAFKA_GROUP_PROTOCOL", "consumer")];

/// The variables of a static member.
fn pod_0<'a>(protocol: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut properties = protocol.to_vec();
    properties.push(("KAFKA_GROUP_INSTANCE_ID", "pod-0"));
    properties
}

/// Its attempts at `poison` fail, and are made again for as long as it runs.
fn fails(behaviour: &mut Behaviour) {
    behaviour.poison = vec!["poison".into()];
    behaviour.attempts = u32::MAX;
    behaviour.backoff = (Duration::from_millis(20), Duration::from_millis(50));
}

#[track_caller]
fn await_log(worker: &Worker, words: &[&str]) {
    until(&format!("the worker says {words:?}"), || {
        let log = worker.log();
        let missing: Vec<_> = words.iter().filter(|word| !log.contains(**word)).collect();
        holds(missing.is_empty(), || format!("not {missing:?}"))
    });
}

fn begun_by(scene: &Scene, worker: &Worker) -> usize {
    let begun = scene.work(What::Begin);
    begun.iter().filter(|line| line.pid == worker.pid()).count()
}

/// Publishes a task that only `owner` may handle, while `other`, which has lost its partitions,
/// begins nothing.
#[track_caller]
fn works_alone(scene: &Scene, owner: &Worker, other: &Worker) {
    let before = begun_by(scene, other);
    scene.publish(&[scene.task("alone")]);
    let pid = owner.pid();
    scene.await_line(What::End, "the owner works", |line| {
        line.key == "alone" && line.pid == pid
    });
    scene.await_all_done();
    assert_eq!(begun_by(scene, other), before, "D8: it has no partitions");
}

/// Two processes have one instance id by mistake: the first loses its place to the second.
#[test]
fn a_member_whose_instance_id_another_process_takes_stops_and_names_it() {
    if Cluster::real("two processes with one instance id", "fencing").is_none() {
        return;
    }
    let scene = Scene::new(fenced::STAGE, 1);
    let first = scene.worker_with(&pod_0(CLASSIC), fails);
    scene.publish(&[scene.task("poison")]);
    scene.await_begin("the first retries", |line| line.attempt > 2);
    let second = scene.worker_with(&pod_0(CLASSIC), |_| {});
    let words = [
        "FencedInstanceId",
        "group.instance.id `pod-0`",
        "partitions were lost: the consumer has ended",
    ];
    await_log(&first, &words);
    works_alone(&scene, &second, &first);
    first.stop().drained();
    second.stop().drained();
    scene.await_all_done();
}

/// Killed and started again before the brokers have forgotten it: it waits until they have, and
/// goes on.
#[test]
fn a_static_member_that_comes_back_early_waits_and_goes_on() {
    if Cluster::real("a static member under KIP-848", "such group protocol").is_none() {
        return;
    }
    let scene = Scene::new(unreleased::STAGE, 1);
    let first = scene.worker_with(&pod_0(CONSUMER), |_| {});
    scene.publish(&[scene.task("one")]);
    scene.await_all_done();
    first.kill();
    let second = scene.worker_with(&pod_0(CONSUMER), |_| {});
    scene.publish(&[scene.task("two")]);
    let words = [
        "UnreleasedInstanceId",
        "group.instance.id `pod-0`",
        "a new consumer joins the group",
    ];
    await_log(&second, &words);
    scene.await_all_done();
    second.stop().drained();
}

/// Frozen for longer than its session; another process with its instance id has its place when it
/// goes on.
#[test]
fn a_static_member_that_was_frozen_gives_way_to_its_successor() {
    if Cluster::real("a frozen static member", "fencing").is_none() {
        return;
    }
    for (protocol, words) in [(CLASSIC, "FencedInstanceId"), (CONSUMER, "InstanceId")] {
        let scene = Scene::new(frozen::STAGE, 1);
        let first = scene.worker_with(&pod_0(protocol), fails);
        scene.publish(&[scene.task("poison")]);
        scene.await_begin("the first retries", |line| line.attempt > 2);
        first.suspend();
        let second = scene.worker_with(&pod_0(protocol), |_| {});
        scene.await_all_done();
        first.resume();
        await_log(&first, &[words, "partitions were lost"]);
        works_alone(&scene, &second, &first);
        first.stop().drained();
        second.stop().drained();
    }
}
