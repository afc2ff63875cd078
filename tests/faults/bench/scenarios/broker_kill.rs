//! Each broker is killed in turn, whatever it leads, and comes back with its data.

use std::time::Duration;

use anyhow::Result;
use faults::{DONE, TASKS};

use crate::cluster::BROKERS;
use crate::scene::{Bench, Scene, Verdict};
use crate::wait::{LONG, holds, until};

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let kafka = &bench.cluster.kafka;
    let mut scene = Scene::new(bench)?;
    // While a coordinator is away nobody can tell its members from dead ones.
    scene.allowed.faults_lose = true;
    scene.allowed.overlaps = true;
    scene.load(100, &[])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    for broker in 0..BROKERS {
        scene.fault(&format!("broker {broker} is killed"))?;
        kafka.kill(broker)?;
        scene.run_on(scene.lasting(Duration::from_secs(4)))?;
        kafka.revive(broker)?;
        until("the broker answers", LONG, || {
            holds(kafka.answers(broker), || "not yet".to_owned())
        })?;
        bench
            .cluster
            .await_in_sync(&[TASKS, DONE, "__consumer_offsets"], LONG)?;
        scene.heal()?;
    }
    scene.finish(Duration::from_secs(60))
}
