//! Dead letters are redriven while members, and a command, are killed: each is done once more and in order, by its handler
//! alone.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::Result;
use events_kafka::dead_letter_header as dl;
use faults::{Fate, Mark, What};
use serde_json::Value;

use crate::checker::HANDLERS;
use crate::load::{Entry, Kind};
use crate::scene::{Bench, Scene, Verdict};
use crate::topics;
use crate::wait::{LONG, holds, until};

const KEYS: [&str; 3] = ["broken-0", "broken-1", "broken-2"];
/// Records of each key, that become letters of each handler before the redrive.
const EACH: usize = 6;
const LETTERS: usize = KEYS.len() * EACH * HANDLERS.len();
/// Each takes so long when it is done again, one after the other in each key and handler: a redrive is long under way.
const SLOW: Duration = Duration::from_secs(1);
/// Letters a second, so that the command is killed before it has asked for all.
const RATE: &str = "2";
/// Letters that it has asked for by then.
const ASKED: usize = 3;
const REDRIVE: [&str; 4] = ["dead-letters", "redrive", "--all", "--json"];

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    let failing = scene.directory().join("failing");
    fs::write(&failing, "")?;
    for key in KEYS {
        let fate = Fate::FailWhileThenSlow(failing.clone(), SLOW);
        scene.behaviour.fates.insert(key.into(), fate);
        scene.allowed.parked.insert(key.into());
        scene.allowed.redriven.insert(key.into());
    }
    scene.behaviour.attempts = 1;
    scene.allowed.attempts = 1;
    let wait = Duration::from_millis(100);
    // Given up soon after it was parked.
    scene.behaviour.park = Some((wait, wait * 2, Duration::from_millis(300)));
    scene.load(100, &[])?;
    let crew = [scene.start()?, scene.start()?];
    scene.await_work(&[&crew[0], &crew[1]])?;
    // So many and no more, or a slow machine would have more to do.
    let broken = (0..).zip(KEYS).map(|(partition, key)| Entry {
        partition,
        key: key.to_owned(),
        number: 0,
        kind: Kind::Good,
    });
    let broken: Vec<_> = broken.collect();
    scene.write_tasks((0..EACH).flat_map(|_| broken.clone()))?;
    until("there are dead letters", LONG, || {
        let ends = bench.cluster.ends(&scene.dead_letters());
        let ends = ends.map_err(|error| error.to_string())?;
        let count: i64 = ends.iter().map(|(low, high)| high - low).sum();
        holds(count >= LETTERS as i64, || format!("{count}"))
    })?;
    scene.end_load()?;
    scene.time_from_here();
    scene.recover(Duration::from_secs(60))?;
    scene.await_nothing_parked();
    fs::remove_file(&failing)?;
    let mut open = letters(&scene)?;
    let all = open.len();
    scene.fault(&format!("a redrive of {all} letters, and kills"))?;
    let begin = scene.mark()?;
    let paced = [&REDRIVE[..], &["--rate", RATE]].concat();
    let command = scene.errand("operator-1", &paced)?;
    await_begun(&scene, begin)?;
    while_redriven(&mut scene, &mut open, |scene| {
        scene.kill(&crew[0])?;
        scene.start()
    })?;
    until("letters are redriven", LONG, || {
        let asked = asked(&scene).map_err(|error| error.to_string())?;
        holds(asked >= ASKED, || format!("{asked}"))
    })?;
    let still_ran = while_redriven(&mut scene, &mut open, |_| command.kill())?;
    let asked = asked(&scene)?;
    scene.say(&format!(
        "the command is killed, which had asked for {asked}"
    ));
    if !still_ran || asked >= all {
        scene.violates("fault", "the command had asked for every letter");
    }
    // Neither sees what the other asks for, and the command that was killed left no word.
    let both = ["operator-2", "operator-3"].map(|who| scene.errand(who, &REDRIVE));
    for command in both {
        let said = command?.finish(LONG)?;
        scene.say(&format!("a redrive asks for {}", redriven(&said)?));
    }
    await_begun(&scene, scene.mark()?)?;
    while_redriven(&mut scene, &mut open, |scene| {
        scene.kill(&crew[1])?;
        scene.start()
    })?;
    scene.heal()?;
    scene.await_ended(Duration::from_secs(60))?;
    // A killed member's work is done again once its session is over: only when nothing is left it is quiet.
    scene.await_owners()?;
    scene.await_nothing_parked();
    let again = scene.command(&REDRIVE)?;
    scene.say(&format!("a further redrive asks for {}", redriven(&again)?));
    let before = count(&scene)?;
    scene.run_on(Duration::from_secs(3))?;
    if count(&scene)? != before {
        scene.violates("I2", "a further redrive did something again");
    }
    scene.finish(Duration::from_secs(60))
}

/// A record and its handler.
type Letter = (String, i32, i64);

/// What is to be done again.
fn letters(scene: &Scene<'_>) -> Result<BTreeSet<Letter>> {
    let letters = topics::records(scene.cluster, &scene.dead_letters())?;
    let letters = letters
        .iter()
        .filter(|letter| letter.header(dl::FACT).is_empty());
    let letters = letters.map(|letter| {
        let handler = letter.header(dl::HANDLER).rsplit('/').next();
        Ok((
            handler.unwrap_or_default().to_owned(),
            letter.header(dl::PARTITION).parse()?,
            letter.header(dl::OFFSET).parse()?,
        ))
    });
    letters.collect()
}

/// Does something to a redrive that is under way, which it is while a letter is not done.
fn while_redriven<T>(
    scene: &mut Scene<'_>,
    open: &mut BTreeSet<Letter>,
    act: impl FnOnce(&mut Scene<'_>) -> Result<T>,
) -> Result<T> {
    let done = act(scene)?;
    for line in scene.lines()? {
        if line.what == What::End {
            open.remove(&(line.handler, line.partition, line.offset));
        }
    }
    scene.say(&format!("{} letters are not done", open.len()));
    if open.is_empty() {
        scene.violates("fault", "every letter was done when something was killed");
    }
    Ok(done)
}

/// Waits until something is done again.
fn await_begun(scene: &Scene<'_>, from: Mark) -> Result<()> {
    scene.await_lines("a letter is done again", from, [()], |line| {
        let is_again = line.what == What::Begin && KEYS.contains(&line.key.as_str());
        is_again.then_some(())
    })
}

/// Letters that a redrive was asked for.
fn asked(scene: &Scene<'_>) -> Result<usize> {
    scene.in_parked_log(|log| log.redriven.len())
}

/// Attempts so far.
fn count(scene: &Scene<'_>) -> Result<usize> {
    let lines = scene.lines()?;
    Ok(lines.iter().filter(|line| line.what == What::Begin).count())
}

/// How many letters a command says that it redrives.
fn redriven(said: &str) -> Result<Value> {
    let said: Value = serde_json::from_str(said)?;
    Ok(said["redriven"].clone())
}
