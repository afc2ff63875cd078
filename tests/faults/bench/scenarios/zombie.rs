//! A member is stopped past its session, and goes on: what it does then changes nothing that its successor did.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use faults::{Fate, Line, What};

use crate::checker::HANDLERS;
use crate::cluster::BROKERS;
use crate::load::{Entry, Kind};
use crate::proxy::{Action, Direction, Rule, api};
use crate::scene::{Bench, PARTITIONS, Scene, Verdict};
use crate::wait::{LONG, holds, until};

/// One in each partition.
const KEYS: [&str; 6] = [
    "fails-0", "fails-1", "fails-2", "fails-3", "fails-4", "fails-5",
];

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.allowed.overlaps = true;
    scene.load(150, &[])?;
    let zombie = scene.start()?;
    let other = scene.start()?;
    scene.await_work(&[&zombie, &other])?;
    scene.fault("a member is stopped")?;
    scene.pause(&zombie)?;
    scene.run_on(scene.lasting(scene.membership.past_its_session()))?;
    scene.await_work(&[&other])?;
    scene.say("the zombie goes on");
    scene.resume(&zombie)?;
    scene.run_on(Duration::from_secs(3))?;
    scene.heal()?;
    scene.await_work(&[&zombie, &other])?;
    scene.time_from_here();
    scene.finish(Duration::from_secs(45))
}

/// What it was about to park its successor has done when its word comes, which must not count.
pub(crate) fn parked(bench: &Bench<'_>) -> Result<Verdict> {
    let rules = &bench.cluster.rules;
    let mut scene = Scene::new(bench)?;
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
    scene.say("keys fail, and what parks them is held");
    fs::write(&failing, "")?;
    let held = (0..BROKERS).map(|broker| Rule {
        broker: Some(broker),
        api: Some(api::PRODUCE),
        direction: Some(Direction::Request),
        action: Action::Hold,
        most: None,
    });
    let held: Vec<_> = held.map(|rule| rules.add(rule)).collect();
    let begin = scene.mark()?;
    scene.write_tasks((0..PARTITIONS).zip(KEYS).map(|(partition, key)| Entry {
        partition,
        key: key.to_owned(),
        number: 0,
        kind: Kind::Good,
    }))?;
    // Each of them, in each handler, as it ends or fails at `who`.
    let all = || {
        KEYS.iter()
            .flat_map(|key| HANDLERS.map(|handler| (*key, handler)))
    };
    let lines = |what: What, who: String| {
        move |line: &Line| {
            let fits = line.what == what && line.who == who;
            all().find(|of| fits && *of == (line.key.as_str(), line.handler.as_str()))
        }
    };
    let fail = lines(What::Fail, zombie.clone());
    scene.await_lines("every key has failed", begin, all(), fail)?;
    // Its session is long enough for that, and so is its patience with a request.
    until("each broker is sent something", LONG, || {
        let hits: Vec<_> = held.iter().map(|rule| rules.hits(*rule)).collect();
        holds(!hits.contains(&0), || format!("requests: {hits:?}"))
    })?;
    scene.fault("the member is stopped")?;
    scene.pause(&zombie)?;
    // What was sent stays where it is; the others' requests pass.
    let met: u64 = held.into_iter().map(|rule| rules.remove(rule)).sum();
    let other = scene.start()?;
    let end = lines(What::End, other.clone());
    scene.await_lines("its successor has done them", begin, all(), end)?;
    scene.say("its successor has done what the member was about to park");
    scene.load(100, &KEYS)?;
    scene.await_work(&[&other])?;
    rules.release();
    let came = until("what the zombie sent comes", LONG, || {
        let late = scene.in_parked_log(|log| log.late.len());
        let late = late.map_err(|error| error.to_string())?;
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
    scene.time_from_here();
    scene.recover(Duration::from_secs(45))?;
    scene.await_ended(Duration::from_secs(45))?;
    scene.finish(Duration::from_secs(45))
}
