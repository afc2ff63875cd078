//! Handlers that hang past `max.poll.interval.ms`: the member stays, other keys flow, and only the hanging key waits.

use std::time::Duration;

use anyhow::Result;
use faults::{Fate, Line, What};

use crate::load::{Entry, Kind};
use crate::scene::{Bench, Scene, Verdict};

const HANGS: Duration = Duration::from_secs(14);
const KEY: &str = "hangs";
const PARTITION: i32 = 2;
/// Attempts that other keys of its partition end meanwhile, at the least.
const OTHERS: usize = 60;
/// What the client says when it gives up its own membership.
const POLLED_TOO_LATE: &str = "maximum poll interval";

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    // The async handler's attempt is dropped then; the blocking one cannot be.
    scene.behaviour.timeout = Duration::from_secs(3);
    // A drain is shorter than the poll interval, or the member would be given up while it drains.
    scene.behaviour.drain = Duration::from_secs(4);
    let time = scene.lasting(HANGS);
    scene
        .behaviour
        .fates
        .insert(KEY.into(), Fate::HangOnce(time));
    scene.environment("KAFKA_MAX_POLL_INTERVAL_MS", "7000");
    scene.load(150, &[])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    // The group has settled: no further assignment has a reason.
    scene.run_on(Duration::from_secs(4))?;
    let before = scene.lines()?.len();
    scene.fault("an async and a blocking handler hang")?;
    let number = 0;
    let task = |kind| Entry {
        partition: PARTITION,
        key: KEY.into(),
        number,
        kind,
    };
    scene.write_tasks([task(Kind::Good), task(Kind::Good)])?;
    scene.run_on(time + Duration::from_secs(1))?;
    let lines = scene.lines()?.split_off(before);
    for handler in crate::checker::HANDLERS {
        let ended = lines.iter().filter(|line| {
            line.what == What::End && line.partition == PARTITION && line.handler == handler
        });
        let ended = ended.filter(|line| line.key != KEY).count();
        if ended < OTHERS {
            let text = format!("only {ended} attempts of `{handler}` at other keys meanwhile");
            scene.violates("I7", text);
        }
    }
    scene.heal()?;
    // The second task of the key hangs as long.
    scene.recover(time + Duration::from_secs(25))?;
    let moved = lines.iter().filter(|line| line.what == What::Assigned);
    let moved = moved.count();
    let is_lost = |line: &Line| line.what == What::Lost;
    // A machine that keeps a process from its heartbeats for a session loses it its partitions too, which then move
    // without any hanging: the member says that it lost them, perhaps only afterwards. One that is given up because it
    // does not poll has said so itself.
    let stalled = scene.lines()?.split_off(before).iter().any(is_lost);
    let hung = scene.any_log(POLLED_TOO_LATE);
    if hung || moved > 0 && !stalled {
        let text = format!("{moved} partitions moved because a handler hung");
        scene.violates("I7", text);
    } else if moved > 0 {
        scene.say(&format!("a session ended, and {moved} partitions moved"));
    }
    scene.finish(time + Duration::from_secs(25))
}
