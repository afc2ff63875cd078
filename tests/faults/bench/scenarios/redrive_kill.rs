//! Dead letters are redriven while members are killed: each is done once more and in order, by its handler alone.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use faults::{Fate, What};

use crate::scene::{Bench, Scene, Verdict};
use crate::wait::{LONG, holds, until};

const KEYS: [&str; 3] = ["broken-0", "broken-1", "broken-2"];
/// Records of those keys, at the least, that have become letters before the redrive.
const LETTERS: usize = 24;

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench, "redrive-kill")?;
    let failing = scene.directory().join("failing");
    fs::write(&failing, "")?;
    for key in KEYS {
        let fate = Fate::FailWhile(failing.clone());
        scene.behaviour.fates.insert(key.into(), fate);
        scene.allowed.parked.insert(key.into());
        scene.allowed.redriven.insert(key.into());
    }
    scene.behaviour.attempts = 1;
    scene.allowed.attempts = 1;
    let wait = Duration::from_millis(100);
    // Given up soon after it was parked.
    scene.behaviour.park = Some((wait, wait * 2, Duration::from_millis(300)));
    scene.load(100, &KEYS)?;
    let crew = [scene.start()?, scene.start()?];
    scene.await_work(&[&crew[0], &crew[1]])?;
    until("there are dead letters", LONG, || {
        let ends = bench.cluster.ends(&scene.dead_letters());
        let ends = ends.map_err(|error| error.to_string())?;
        let count: i64 = ends.iter().map(|(low, high)| high - low).sum();
        holds(count >= LETTERS as i64, || format!("{count}"))
    })?;
    scene.end_load()?;
    scene.recover(Duration::from_secs(60))?;
    fs::remove_file(&failing)?;
    scene.fault("a redrive, and kills")?;
    let said = scene.command(&["dead-letters", "redrive", "--all", "--json"])?;
    scene.say(&format!(
        "redriven: {}",
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    ));
    // What was asked for and is not resolved yet must be left out.
    scene.command(&["dead-letters", "redrive", "--all", "--json"])?;
    for who in &crew {
        scene.kill(who)?;
        scene.start()?;
        scene.run_on(Duration::from_secs(2))?;
    }
    scene.heal()?;
    scene.await_ended(Duration::from_secs(60))?;
    let again = scene.command(&["dead-letters", "redrive", "--all", "--json"])?;
    scene.say(&format!(
        "a second redrive: {}",
        again.split_whitespace().collect::<Vec<_>>().join(" ")
    ));
    let before = count(&scene)?;
    scene.run_on(Duration::from_secs(3))?;
    if count(&scene)? != before {
        scene.violates("I2", "a second redrive did something again");
    }
    scene.finish(Duration::from_secs(60))
}

/// Attempts so far.
fn count(scene: &Scene<'_>) -> Result<usize> {
    let lines = scene.lines()?;
    Ok(lines.iter().filter(|line| line.what == What::Begin).count())
}
