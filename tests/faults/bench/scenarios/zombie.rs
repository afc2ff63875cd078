//! A member is stopped past its session, and goes on: what it does then changes nothing that its successor did.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use faults::Fate;

use crate::cluster::BROKERS;
use crate::load::{Entry, Kind};
use crate::proxy::{Action, Direction, Rule, api};
use crate::scene::{Bench, PARTITIONS, Scene, Verdict};
use crate::wait::{LONG, holds, until};

/// One in each partition.
const KEYS: [&str; 6] = [
    "fails-0", "fails-1", "fails-2", "fails-3", "fails-4", "fails-5",
];

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

/// What it sends to the parked log is under way for so long, past its session.
const UNDER_WAY: Duration = Duration::from_secs(14);

/// What it was about to park its successor has done when its word comes, which must not count.
pub(crate) fn parked(bench: &Bench<'_>) -> Result<Verdict> {
    let rules = &bench.cluster.rules;
    let mut scene = Scene::new(bench, "zombie-parked")?;
    scene.allowed.overlaps = true;
    scene.allowed.parked.extend(KEYS.map(String::from));
    scene.behaviour.attempts = 1;
    let wait = Duration::from_millis(500);
    scene.behaviour.park = Some((wait, wait * 2, Duration::from_secs(3_600)));
    // With the zombie alone they fail.
    let failing = scene.directory().join("failing");
    let fates = KEYS.map(|key| (key.to_owned(), Fate::FailWhile(failing.clone())));
    scene.behaviour.fates.extend(fates);
    let zombie = scene.start()?;
    scene.behaviour.fates.clear();
    scene.load(100, &[])?;
    scene.await_work(&[&zombie])?;
    scene.end_load()?;
    // All of that is acknowledged.
    scene.run_on(Duration::from_secs(2))?;
    scene.say("keys fail, and what parks them is long under way");
    fs::write(&failing, "")?;
    // The first request to each broker, and so what is behind it.
    let late = (0..BROKERS).map(|broker| Rule {
        broker: Some(broker),
        api: Some(api::PRODUCE),
        direction: Some(Direction::Request),
        action: Action::Delay(UNDER_WAY),
        most: Some(1),
    });
    let late: Vec<_> = late.map(|rule| rules.add(rule)).collect();
    scene.write_tasks((0..PARTITIONS).zip(KEYS).map(|(partition, key)| Entry {
        partition,
        key: key.to_owned(),
        number: 0,
        kind: Kind::Good,
    }))?;
    scene.run_on(Duration::from_millis(1_500))?;
    scene.fault("the member is stopped")?;
    scene.pause(&zombie)?;
    let met: u64 = late.into_iter().map(|rule| rules.remove(rule)).sum();
    let other = scene.start()?;
    scene.load(100, &KEYS)?;
    scene.await_work(&[&other])?;
    scene.say("its successor works");
    let came = until("what the zombie sent comes", LONG, || {
        let late = scene.parked_late().map_err(|error| error.to_string())?;
        holds(late > 0, || format!("{met} requests are under way"))
    });
    if let Err(error) = came {
        scene.violates("fault", format!("{error:#}"));
    }
    scene.run_on(Duration::from_secs(2))?;
    scene.say("the zombie goes on");
    fs::remove_file(&failing)?;
    scene.resume(&zombie)?;
    scene.run_on(Duration::from_secs(3))?;
    scene.heal()?;
    scene.await_work(&[&zombie, &other])?;
    scene.recover(Duration::from_secs(30))?;
    scene.await_ended(Duration::from_secs(45))?;
    scene.finish(Duration::from_secs(45))
}
