//! What a handler depends on is down, and no partition alone has enough keys to show it.

use std::time::Duration;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, status_once};
use crate::eventually;

const PROBE: Duration = Duration::from_millis(20);
/// Few for each of eight partitions.
const KEYS: u64 = 12;

subject!(Scattered, scatter, "conformance-dead-lanes");

/// The handler's lanes count failing keys together, so that a dead dependency costs no record; a success in any of them
/// lets all go on, and then failures count again.
pub async fn lanes_count_failing_keys_together<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-dead-lanes", 8).await;
    let service = stage.service().configure(|settings| {
        settings.breaker_keys = 10;
        settings.retry.attempts = 4;
        settings.hold_probe = (PROBE, PROBE);
    });
    let running = stage.start_with(service).await;
    for number in 0..KEYS {
        let key = format!("k{number}");
        let fails = Step::FailUntil("back");
        stage.probe.script("scatter", &key, 0, [fails]);
        stage.send::<Scattered>(&key, 0).await;
    }
    status_once(&running, "the handler holds in several lanes", |status| {
        let holds = status.lanes.iter().filter(|lane| !lane.holds.is_empty());
        holds.count() >= 3
    })
    .await;
    // Far more tries than the attempts that records have.
    let poison = Step::FailAlways("poison");
    stage.probe.script("scatter", "poison", 0, [poison]);
    stage.send::<Scattered>("poison", 0).await;
    eventually("it is tried for long", async || {
        stage.probe.began("scatter").len() >= 200
    })
    .await;
    assert!(stage.letters().await.is_empty());
    stage.probe.open("back");
    stage.done_once("scatter", KEYS as usize).await;
    stage.letters_once(1).await;
    status_once(&running, "no lane holds", |status| {
        status.lanes.iter().all(|lane| lane.holds.is_empty())
    })
    .await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("scatter").len(), KEYS as usize);
    Verdict::Held
}
