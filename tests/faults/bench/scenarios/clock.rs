//! The wall clock jumps by an hour, forth and back; duplicates come after the window of ids has forgotten them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use faults::{Fate, What};

use crate::load::{Entry, Kind};
use crate::scene::{Bench, Scene, Verdict};

/// Stands between the worker and the system's wall clock.
const SHIM: &str = include_str!("../../clock.c");
const HOUR: i64 = 3_600;
const KEY: &str = "fails-for-a-while";

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    let directory = scene.directory().to_owned();
    let (source, shim) = (directory.join("clock.c"), directory.join("clock.so"));
    let (offset, failing) = (directory.join("offset"), directory.join("failing"));
    fs::write(&source, SHIM)?;
    fs::write(&offset, "0")?;
    fs::write(&failing, "")?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&shim, &source])
        .arg("-ldl")
        .status()?;
    if !built.success() {
        bail!("`cc` could not build the clock: {}", source.display());
    }
    scene.environment("LD_PRELOAD", &shim.display().to_string());
    scene.environment("FAULT_CLOCK", &offset.display().to_string());
    scene.behaviour.dedupe_window = 200;
    // It must outlast the jumps, whatever the attempts' clock says.
    scene.behaviour.attempts = 200;
    scene
        .behaviour
        .fates
        .insert(KEY.into(), Fate::FailWhile(failing.clone()));
    scene.allowed.late_duplicates = true;
    scene.load(120, &[KEY])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    for jump in [HOUR, -HOUR, 0] {
        scene.fault(&format!("the wall clock is {jump:+} s off"))?;
        fs::write(&offset, jump.to_string())?;
        scene.run_on(scene.lasting(Duration::from_secs(2)))?;
        scene.await_work(&[&one, &other])?;
    }
    fs::remove_file(&failing)?;
    scene.say("duplicates after the window");
    scene.end_load()?;
    let early = scene.lines()?;
    let early = early
        .iter()
        .filter(|line| line.what == What::Produced && line.attempt == 1)
        .take(30)
        .map(|line| Entry {
            partition: line.partition,
            key: line.key.clone(),
            number: line.id.trim_start_matches('t').parse().unwrap_or(0),
            kind: Kind::Duplicate,
        })
        .collect::<Vec<_>>();
    scene.rewrite(&early)?;
    scene.heal()?;
    scene.finish(Duration::from_secs(45))
}
