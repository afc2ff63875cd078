//! SIGKILL at each failpoint: what is done again was done shortly before (D3), and nothing is lost (D1).

use std::time::Duration;

use anyhow::Result;
use faults::{Fate, Kill};

use crate::scene::{Bench, Scene, Verdict};

/// Where workers die.
const POINTS: [&str; 7] = [
    "emit-before",
    "emit-after",
    "ack-before",
    "ack-after",
    "commit-before",
    "store-after",
    "commit-after",
];
/// A point is survived up to so often, so that the work under way differs.
const SURVIVED: std::ops::Range<u64> = 5..80;
/// A slow key holds the watermark back, so that only the map says what is done.
const SLOW: Duration = Duration::from_secs(4);

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench, "sigkill")?;
    scene
        .behaviour
        .fates
        .insert("slow".into(), Fate::Slow(SLOW));
    scene.load(200)?;
    let steady = scene.start()?;
    scene.await_work(&[&steady])?;
    for _ in 0..scene.lasting(Duration::from_secs(1)).as_secs() {
        for point in POINTS {
            let kill = Kill {
                point: point.into(),
                after: scene.random.u64(SURVIVED),
            };
            scene.fault(&format!(
                "a member dies at `{point}`, the {}th time",
                kill.after + 1
            ))?;
            let doomed = scene.start_with(Some(kill))?;
            scene.await_death(&doomed, Duration::from_secs(60))?;
        }
    }
    // The one with most of the work too: all of its map is another's to continue.
    let heir = scene.start()?;
    scene.await_work(&[&steady, &heir])?;
    scene.fault("the steady member is killed")?;
    scene.kill(&steady)?;
    scene.run_on(Duration::from_secs(2))?;
    scene.heal()?;
    scene.finish(Duration::from_secs(45))
}
