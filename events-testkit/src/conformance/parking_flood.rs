//! More is redriven than a lane may park.

use std::time::Duration;

use events_core::Park;
use events_runtime::parked_header as name;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::parking_by_hand::{action, redrive};
use super::probe::Step;
use super::stage::{Stage, status_once};

const LETTERS: u64 = 60;

subject!(
    Flooded,
    drown,
    "conformance-redrive-flood",
    exhausted = "block"
);

/// Far beyond its bound a lane still reads what is asked for, so that somebody can help it.
pub async fn orders_are_read_beyond_the_bound<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-redrive-flood", 1).await;
    stage.park(1).await;
    let mut redriven = Vec::new();
    for seq in 0..LETTERS {
        stage
            .probe
            .script("drown", "a", seq, [Step::FailAlways("broken")]);
        let id = format!("dead/0/{seq}");
        let mut fact = redrive::<C, Flooded>(&stage, "drown", "a", seq, &id);
        fact.add_header(name::OFFSET, seq.to_string());
        redriven.push(stage.produce(fact).await.offset);
    }
    let long = Duration::from_secs(7200);
    let service = stage.parking_service().configure(|settings| {
        settings.parked_records = 20;
        settings.park = Some(Park {
            min: long,
            max: long,
            max_age: long,
        });
    });
    let running = stage.start_with(service).await;
    status_once(&running, "all are parked", |status| {
        let lane = status.lanes.first();
        lane.is_some_and(|lane| lane.parked_records == LETTERS as usize && lane.holding.is_some())
    })
    .await;
    for at in redriven {
        let mut fact = action(&stage, "drown", "discard", "a");
        fact.add_header(name::AT, at.to_string());
        stage.produce(fact).await;
    }
    status_once(&running, "nothing is parked any more", |status| {
        status.lanes[0].parked_records == 0 && status.lanes[0].holding.is_none()
    })
    .await;
    stage.send::<Flooded>("b", 0).await;
    stage.done_once("drown", 1).await;
    running.shutdown().await;
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "done").count(), LETTERS as usize);
    Verdict::Held
}
