//! The dead-letter topic refuses writes for a while: its lanes hold and say why, and nothing is dropped.

use std::time::Duration;

use anyhow::Result;
use faults::Fate;

use crate::cluster::ROOMY;
use crate::scenarios::{HELD, refusal};
use crate::scene::{Bench, Scene, Verdict};

const KEY: &str = "poison";
const LIMIT: &str = "max.message.bytes";

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.behaviour.fates.insert(KEY.into(), Fate::Fail);
    scene.allowed.given_up.insert(KEY.into());
    let letters = scene.dead_letters();
    scene.load(100, &[KEY])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    scene.fault("the dead-letter topic refuses")?;
    bench.cluster.set_topic(&letters, LIMIT, "100")?;
    // The poisoned key is in the first partition, so one of the two says it.
    let said = scene.await_any_log(&format!("the dead-letter topic `{letters}` refuses"), HELD);
    scene.run_on(refusal(bench, Duration::from_secs(8)))?;
    bench.cluster.set_topic(&letters, LIMIT, ROOMY)?;
    scene.heal()?;
    if let Err(error) = said {
        scene.violates("I6", format!("{error:#}"));
    }
    scene.finish(Duration::from_secs(45))
}
