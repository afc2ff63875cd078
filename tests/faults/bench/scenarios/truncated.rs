//! A log that ends before the group's offset: the lane holds and says so, and does not start anywhere else by itself.

use std::time::Duration;

use anyhow::Result;

use crate::scenarios::{HELD, REPORTS, entries};
use crate::scene::{Bench, Scene, Verdict};

const PARTITION: i32 = 1;
/// So far past the end.
const PAST: i64 = 1_000;

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.write_tasks(entries(PARTITION, 40))?;
    let first = scene.start()?;
    scene.await_owners()?;
    scene.recover(Duration::from_secs(45))?;
    scene.stop(&first)?;
    let end = scene.watermark(PARTITION)?;
    scene.fault("the log ends before the group's offset")?;
    scene.set_offset(PARTITION, end + PAST)?;
    let (begun, second) = (scene.begun(PARTITION)?, scene.start()?);
    scene.expect_log(&second, REPORTS, HELD);
    scene.write_tasks(entries(PARTITION, 20))?;
    scene.run_on(Duration::from_secs(3))?;
    if scene.begun(PARTITION)? != begun {
        scene.violates("I1", "the lane started elsewhere by itself");
    }
    scene.stop(&second)?;
    scene.say("the operator sets the offset");
    scene.set_offset(PARTITION, end)?;
    scene.heal()?;
    scene.start()?;
    scene.await_owners()?;
    scene.finish(Duration::from_secs(45))
}
