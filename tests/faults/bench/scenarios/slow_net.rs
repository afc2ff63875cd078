//! A slow and broken line: latency, jitter, 64 kB/s, one-byte slices, resets; then ten times the load.

use std::time::Duration;

use anyhow::Result;

use crate::proxy::Shape;
use crate::scene::{Bench, Scene, Verdict};

const RATE: u64 = 60;

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let rules = &bench.cluster.rules;
    let mut scene = Scene::new(bench)?;
    // A reset and a slow way back can outlast a session on a busy machine.
    scene.allowed.faults_lose = true;
    scene.allowed.overlaps = true;
    scene.load(RATE, &[])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    scene.fault("latency 200 ms, jitter 100 ms, 64 kB/s, slices, resets")?;
    let resets = rules.resets();
    rules.set_shape(Shape {
        latency: Duration::from_millis(200),
        jitter: Duration::from_millis(100),
        bytes_per_second: Some(64_000),
        slices: true,
        resets: 100,
    });
    scene.run_on(scene.lasting(Duration::from_secs(8)))?;
    scene.say("ten times the load");
    scene.set_rate(RATE * 10);
    scene.run_on(scene.lasting(Duration::from_secs(3)))?;
    scene.set_rate(RATE);
    rules.set_shape(Shape::default());
    let resets = rules.resets() - resets;
    scene.heal()?;
    scene.say(&format!("{resets} connections were reset"));
    if resets == 0 {
        scene.violates("fault", "no connection was reset");
    }
    scene.finish(Duration::from_secs(45))
}
