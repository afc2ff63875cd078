//! The group's coordinator: its answers to commits are lost, then it is cut off, with both group protocols.

use std::time::Duration;

use anyhow::Result;

use crate::proxy::{Action, Direction, Rule, api};
use crate::scene::{Bench, Scene, Verdict};

/// Past the session of six seconds, so that members are given up.
const CUT_OFF: Duration = Duration::from_secs(9);

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let mut scene = Scene::new(bench)?;
    let rules = &bench.cluster.rules;
    scene.allowed.faults_lose = true;
    scene.allowed.overlaps = true;
    scene.load(120, &[])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    scene.fault("answers to commits are lost")?;
    let rule = rules.add(Rule {
        broker: None,
        api: Some(api::OFFSET_COMMIT),
        direction: Some(Direction::Response),
        action: Action::Drop,
        most: None,
    });
    scene.run_on(scene.lasting(Duration::from_secs(4)))?;
    let lost = rules.remove(rule);
    scene.heal()?;
    scene.await_work(&[&one, &other])?;
    let coordinator = bench.cluster.coordinator(&scene.group)?;
    scene.fault(&format!(
        "{lost} answers were lost; now broker {coordinator}, the coordinator, is cut off"
    ))?;
    let rule = rules.add(Rule {
        broker: Some(coordinator),
        api: None,
        direction: None,
        action: Action::Drop,
        most: None,
    });
    scene.run_on(scene.lasting(CUT_OFF))?;
    let dropped = rules.remove(rule);
    scene.heal()?;
    if lost == 0 || dropped == 0 {
        scene.violates("fault", format!("it met {lost} and {dropped} frames"));
    }
    scene.finish(Duration::from_secs(60))
}
