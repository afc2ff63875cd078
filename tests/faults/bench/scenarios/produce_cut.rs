//! Connections that are cut after the append and before the answer, and before the append: nothing is written twice.

use std::time::Duration;

use anyhow::Result;

use crate::proxy::{Action, Direction, Rule, api};
use crate::scene::{Bench, Scene, Verdict};

pub(crate) fn run(bench: &Bench<'_>) -> Result<Verdict> {
    let rules = &bench.cluster.rules;
    let mut scene = Scene::new(bench)?;
    scene.load(150, &[])?;
    let (one, other) = (scene.start()?, scene.start()?);
    scene.await_work(&[&one, &other])?;
    scene.fault("connections are cut around each append")?;
    // So more is under way whenever a connection is cut.
    let late = rules.add(Rule {
        broker: None,
        api: Some(api::PRODUCE),
        direction: Some(Direction::Request),
        action: Action::Delay(Duration::from_millis(30)),
        most: None,
    });
    let mut cuts = 0;
    for round in 0..scene.lasting(Duration::from_secs(8)).as_secs() {
        let direction = match round % 4 {
            3 => Direction::Request,
            _ => Direction::Response,
        };
        let rule = rules.add(Rule {
            broker: None,
            api: Some(api::PRODUCE),
            direction: Some(direction),
            action: Action::Cut,
            most: Some(2),
        });
        scene.run_on(Duration::from_secs(1))?;
        cuts += rules.remove(rule);
    }
    rules.remove(late);
    scene.heal()?;
    scene.say(&format!("{cuts} connections were cut"));
    if cuts == 0 {
        scene.violates("fault", "no connection was cut");
    }
    scene.finish(Duration::from_secs(45))
}
