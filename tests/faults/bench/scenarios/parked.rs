//! Keys that fail are parked, and come back in order: through kills at park and unpark, and a topic that refuses.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use faults::{Fate, Kill};

use crate::cluster::ROOMY;
use crate::scenarios::{HELD, refusal};
use crate::scene::{Bench, Scene, Verdict};

const KEYS: [&str; 4] = ["fails-0", "fails-1", "fails-2", "fails-3"];
const PARKS: [&str; 2] = ["park-before", "park-after"];
const UNPARKS: [&str; 2] = ["unpark-before", "unpark-after"];
/// A point is survived up to so often.
const SURVIVED: std::ops::Range<u64> = 1..10;
const LIMIT: &str = "max.message.bytes";

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    let failing = scene.directory().join("failing");
    fs::write(&failing, "")?;
    for key in KEYS {
        let fate = Fate::FailWhile(failing.clone());
        scene.behaviour.fates.insert(key.into(), fate);
        scene.allowed.parked.insert(key.into());
    }
    scene.behaviour.attempts = 2;
    let wait = Duration::from_millis(500);
    scene.behaviour.park = Some((wait, wait * 2, Duration::from_secs(3_600)));
    scene.load(100, &KEYS)?;
    let steady = scene.start()?;
    scene.await_work(&[&steady])?;
    for point in PARKS {
        let (doomed, _) = doomed(&mut scene, point)?;
        dies(&mut scene, &doomed)?;
    }
    scene.fault("the parked topic refuses")?;
    let topic = scene.parked();
    bench.cluster.set_topic(&topic, LIMIT, "100")?;
    let said = scene.await_any_log("the lane holds", HELD);
    scene.run_on(refusal(bench, Duration::from_secs(3)))?;
    bench.cluster.set_topic(&topic, LIMIT, ROOMY)?;
    if let Err(error) = said {
        scene.violates("I6", format!("{error:#}"));
    }
    for point in UNPARKS {
        // Until it owns more of them than it is to let go.
        fs::write(&failing, "")?;
        let (doomed, after) = doomed(&mut scene, point)?;
        scene.await_parked(&doomed, after)?;
        scene.say("what failed can be done again");
        fs::remove_file(&failing)?;
        dies(&mut scene, &doomed)?;
    }
    scene.heal()?;
    scene.recover(Duration::from_secs(45))?;
    scene.await_ended(Duration::from_secs(45))?;
    scene.finish(Duration::from_secs(45))
}

/// Starts a member that dies at a point; answers how often it survives it.
fn doomed(scene: &mut Scene<'_>, point: &str) -> Result<(String, usize)> {
    let after = scene.random.u64(SURVIVED);
    scene.fault(&format!("a member dies at `{point}`"))?;
    let point = point.to_owned();
    let doomed = scene.start_with(Some(Kill { point, after }))?;
    Ok((doomed, usize::try_from(after)?))
}

fn dies(scene: &mut Scene<'_>, doomed: &str) -> Result<()> {
    if let Err(error) = scene.await_death(doomed, Duration::from_secs(45)) {
        // What was lost before the point is told by the check.
        scene.violates("fault", format!("{error:#}"));
        scene.kill(doomed)?;
    }
    Ok(())
}
