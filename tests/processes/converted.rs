//! D8: a group whose protocol changes while it has no members. Kafka drops the empty group and makes
//! another of its name, whose generations begin again, and keeps the offsets; the parked log keeps
//! the claims of the group that is gone.

use std::time::Duration;

use end_to_end_tests::{Behaviour, What, converted};

use crate::cluster::Cluster;
use crate::log;
use crate::scene::{SHORT_SESSIONS, Scene};
use crate::wait::{holds, until};
use crate::worker::Worker;

const CONSUMER: &[(&str, &str)] = &[("KAFKA_GROUP_PROTOCOL", "consumer")];
/// No new group begins with a generation above it.
const LATE: i64 = 5;

/// The generation of the newest claim in the parked log, without the group's incarnation.
fn newest_claim(scene: &Scene) -> i64 {
    let facts = log::records(&scene.stage.parked());
    let claims = facts.iter().filter(|fact| {
        let mut headers = fact.headers.iter();
        headers.any(|(name, value)| name == "pk_fact" && value.as_deref() == Some(b"claim"))
    });
    let generation = |fact: &log::Found| fact.header("pk_generation").parse::<i64>();
    let mut claims = claims.map(|fact| generation(fact).expect("a number"));
    claims.next_back().map_or(0, |claim| claim & 0xffff_ffff)
}

fn parks(behaviour: &mut Behaviour) {
    behaviour.park = Some(Duration::from_millis(100));
    behaviour.attempts = 1;
}

fn fails(behaviour: &mut Behaviour) {
    parks(behaviour);
    behaviour.poison = vec!["sick".to_owned()];
}

/// Parks two tasks of a key, and starts and stops workers until the newest claim is a late one.
fn park(scene: &Scene, properties: &[(&str, &str)]) {
    let tasks = ["sick", "other", "sick"].map(|key| scene.task(key));
    scene.publish(&tasks);
    for _ in 0..20 {
        let worker = scene.worker_with(properties, fails);
        await_claim(&worker);
        scene.await_all_done();
        worker.stop().drained();
        if newest_claim(scene) > LATE {
            return;
        }
    }
    panic!("the generation does not rise: {}", newest_claim(scene));
}

#[track_caller]
fn await_claim(worker: &Worker) {
    until("the worker has claimed its parked log", || {
        let log = worker.log();
        holds(log.contains("the parked log is claimed"), || {
            "not yet".into()
        })
    });
}

/// A worker of another protocol, whose attempts succeed, does what is parked and what comes.
fn go_on(scene: &Scene, properties: &[(&str, &str)], tasks: usize) {
    scene.publish(&[scene.task("sick"), scene.task("other")]);
    let worker = scene.worker_with(properties, parks);
    until("all tasks of the key are done", || {
        let done = scene.work(What::End);
        let done = done.iter().filter(|line| line.key == "sick").count();
        holds(done == tasks, || format!("{done} of {tasks}"))
    });
    scene.await_all_done();
    let log = worker.log();
    assert!(
        log.contains("a claim of a later generation stands in the parked log"),
        "the group has not begun again, so this shows nothing"
    );
    worker.stop().drained();
}

#[test]
fn parked_keys_go_on_in_order_when_the_protocol_changes_while_the_service_is_stopped() {
    if Cluster::real("a group whose protocol changes", "other protocol").is_none() {
        return;
    }
    let parked = converted::STAGE.parked();
    let scene = Scene::with_topics(converted::STAGE, 1, &[&parked]);
    park(&scene, SHORT_SESSIONS);
    go_on(&scene, CONSUMER, 3);
    park(&scene, CONSUMER);
    go_on(&scene, SHORT_SESSIONS, 6);
    for key in ["sick", "other"] {
        let mut done = scene.work(What::End);
        done.retain(|line| line.key == key);
        let offsets: Vec<_> = done.iter().map(|line| line.offset).collect();
        assert!(
            offsets.is_sorted_by(|left, right| left < right),
            "D2: {key} at {offsets:?}"
        );
    }
}
