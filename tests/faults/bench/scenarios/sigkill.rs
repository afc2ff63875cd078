//! SIGKILL at each failpoint: what is done again was done shortly before (D3), and nothing is lost (D1).

use std::time::Duration;

use anyhow::Result;
use faults::{Fate, Kill};

use crate::load::Entry;
use crate::scenarios::entries;
use crate::scene::{Bench, Scene, Verdict};

/// Where workers die.
const POINTS: [&[&str]; 3] = [
    &["emit-before", "ack-after", "commit-before"],
    &["emit-after", "store-after"],
    &["ack-before", "commit-after"],
];
/// A point is survived up to so often, so that the work under way differs.
const SURVIVED: std::ops::Range<u64> = 5..80;
/// Commits come far less often than the rest.
const COMMITS_SURVIVED: std::ops::Range<u64> = 5..20;
/// A slow key holds the watermark back, so that only the map says what is done.
const SLOW: Duration = Duration::from_secs(4);

const SLOW_PARTITION: i32 = 3;

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene
        .behaviour
        .fates
        .insert("slow".into(), Fate::Slow(SLOW));
    scene.load(150, &[])?;
    let steady = scene.start()?;
    scene.await_work(&[&steady])?;
    for _ in 0..scene.lasting(Duration::from_secs(1)).as_secs() {
        for points in POINTS {
            let slow = entries(SLOW_PARTITION, 2).map(|entry| Entry {
                key: "slow".into(),
                ..entry
            });
            scene.write_tasks(slow)?;
            scene.fault(&format!("members die at {points:?}"))?;
            let mut doomed = Vec::new();
            for point in points {
                let survived = match point.starts_with("commit") {
                    true => COMMITS_SURVIVED,
                    false => SURVIVED,
                };
                let kill = Kill {
                    point: (*point).into(),
                    after: scene.random.u64(survived),
                };
                doomed.push(scene.start_with(Some(kill))?);
            }
            scene.await_deaths(&doomed, Duration::from_secs(60))?;
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
