//! Members come and go in an orderly way: nothing is run twice (D8).

use std::time::Duration;

use anyhow::Result;

use crate::scene::{Bench, Scene, Verdict};

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.load(200, &[])?;
    let first = scene.start()?;
    scene.await_work(&[&first])?;
    scene.fault("1 → 4 members")?;
    let mut crew = vec![first];
    for _ in 0..3 {
        crew.push(scene.start()?);
    }
    let all: Vec<_> = crew.iter().map(String::as_str).collect();
    scene.await_work(&all)?;
    for _ in 0..scene.lasting(Duration::from_secs(1)).as_secs() {
        scene.say("each member is replaced");
        for who in crew.iter_mut().skip(1) {
            scene.stop(who)?;
            *who = scene.start()?;
            scene.run_on(Duration::from_secs(1))?;
        }
        let all: Vec<_> = crew.iter().map(String::as_str).collect();
        scene.await_work(&all)?;
    }
    scene.say("4 → 1 members");
    for who in &crew[1..] {
        scene.stop(who)?;
    }
    scene.heal()?;
    scene.finish(Duration::from_secs(45))
}
