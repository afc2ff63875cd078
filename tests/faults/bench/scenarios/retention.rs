//! Retention overtakes a group that lags; a topic is deleted and made anew. Both are reported, and wait for a decision.

use std::time::Duration;

use anyhow::Result;
use faults::TASKS;

use crate::scenarios::{HELD, REPORTS, entries};
use crate::scene::{Bench, PARTITIONS, Scene, Verdict};

const PARTITION: i32 = 1;
/// A client learns by its metadata that a topic is another; by default it looks only every five minutes by itself.
const REFRESH: (&str, &str) = ("KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS", "500");

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut verdict = overtaken(bench)?;
    let (violations, recovery) = made_anew(bench)?;
    verdict.violations.extend(violations);
    verdict.recovery = verdict.recovery.max(recovery);
    Ok(verdict)
}

fn overtaken(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    scene.environment(REFRESH.0, REFRESH.1);
    scene.write_tasks(entries(PARTITION, 30))?;
    let first = scene.start()?;
    scene.await_owners()?;
    scene.recover(Duration::from_secs(45))?;
    scene.stop(&first)?;
    let end = scene.watermark(PARTITION)?;
    scene.write_tasks(entries(PARTITION, 30))?;
    let low = end + 10;
    scene.fault("retention overtakes the group")?;
    bench.cluster.delete_records(TASKS, PARTITION, low)?;
    scene.allowed.gone.insert(PARTITION, low);
    let (begun, second) = (scene.begun(PARTITION)?, scene.start()?);
    scene.expect_log(&second, REPORTS, HELD);
    scene.run_on(Duration::from_secs(2))?;
    if scene.begun(PARTITION)? != begun {
        scene.violates("I1", "the lane skipped what was deleted without a word");
    }
    scene.stop(&second)?;
    scene.say("the operator sets the offset");
    scene.set_offset(PARTITION, low)?;
    scene.heal()?;
    scene.start()?;
    scene.await_owners()?;
    scene.finish(Duration::from_secs(45))
}

/// Offsets of another topic of the same name mean nothing, so this part is judged by itself.
fn made_anew(bench: &Bench<'_>) -> Result<(Vec<crate::checker::Violation>, Duration)> {
    let mut scene = Scene::named(bench, "made-anew")?;
    scene.environment(REFRESH.0, REFRESH.1);
    scene.write_tasks(entries(PARTITION, 40))?;
    let first = scene.start()?;
    scene.await_owners()?;
    scene.recover(Duration::from_secs(45))?;
    scene.fault("the topic is deleted and made anew under a running member")?;
    bench.cluster.reset(&[(TASKS, PARTITIONS)])?;
    scene.write_tasks(entries(PARTITION, 20))?;
    let begun = scene.begun(PARTITION)?;
    scene.expect_log(&first, REPORTS, HELD);
    if scene.begun(PARTITION)? != begun {
        scene.violates("I1", "the lane started elsewhere by itself");
    }
    scene.stop(&first)?;
    scene.say("the operator sets the offset");
    scene.set_offset(PARTITION, 0)?;
    scene.heal()?;
    scene.start()?;
    scene.await_owners()?;
    scene.recover(Duration::from_secs(45))?;
    scene.abandon()
}
