//! A member is stopped past its session, and goes on: what it does then changes nothing that its successor did.

use std::time::Duration;

use anyhow::Result;

use crate::scene::{Bench, Scene, Verdict};

/// Past the session of six seconds, and time for the others to take over.
const STOPPED: Duration = Duration::from_secs(9);

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench, "zombie")?;
    scene.allowed.overlaps = true;
    scene.load(150, &[])?;
    let zombie = scene.start()?;
    let other = scene.start()?;
    scene.await_work(&[&zombie, &other])?;
    scene.fault("a member is stopped")?;
    scene.pause(&zombie)?;
    scene.run_on(scene.lasting(STOPPED))?;
    scene.await_work(&[&other])?;
    scene.say("the zombie goes on");
    scene.resume(&zombie)?;
    scene.run_on(Duration::from_secs(3))?;
    scene.heal()?;
    scene.await_work(&[&zombie, &other])?;
    scene.finish(Duration::from_secs(30))
}
