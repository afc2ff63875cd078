//! Records that cannot be decoded, a key that always fails, a version from the future, among good ones.

use std::time::Duration;

use anyhow::Result;
use faults::Fate;

use crate::load::{Entry, Kind};
use crate::scene::{Bench, PARTITIONS, Scene, Verdict};

const KEY: &str = "poison";
const BAD: [Kind; 3] = [Kind::Undecodable, Kind::Future, Kind::Stranger];

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.behaviour.fates.insert(KEY.into(), Fate::Fail);
    scene.allowed.given_up.insert(KEY.into());
    scene.fault("bad records among good ones")?;
    let bad = (0..PARTITIONS).flat_map(|partition| {
        BAD.map(|kind| Entry {
            partition,
            key: format!("bad-{partition}"),
            number: 0,
            kind,
        })
    });
    scene.write_tasks(bad)?;
    scene.load(150, &[KEY])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    scene.run_on(scene.lasting(Duration::from_secs(6)))?;
    scene.heal()?;
    scene.finish(Duration::from_secs(45))
}
