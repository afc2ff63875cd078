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

subject!(Crowding, crowd, "conformance-parked-bound");

/// Past the bound of a key its later records are dead-lettered, in order, and other keys go on (D6).
pub async fn past_its_bound_a_key_is_dead_lettered<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-bound", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("room");
    stage.probe.script("crowd", "a", 0, [fails]);
    let service = stage.parking_service().configure(|settings| {
        settings.parked_per_key = 20;
    });
    let running = stage.start_with(service).await;
    for seq in 0..100 {
        stage.send::<Crowding>("a", seq).await;
    }
    for seq in 0..5 {
        stage.send::<Crowding>("b", seq).await;
    }
    stage.done_once("crowd", 5).await;
    stage.committed_once(105).await;
    let letters = stage.read(&stage.dead_letter_topic()).await;
    assert_eq!(letters.len(), 80);
    for letter in &letters {
        let error = letter.header_text("dl_error").unwrap_or_default();
        assert!(error.contains("20 earlier records of its key"), "{error}");
    }
    stage.probe.open("room");
    stage.done_once("crowd", 25).await;
    running.shutdown().await;
    stage.probe.assert_order("crowd");
    assert!(stage.probe.has_done("crowd", "a", 19) && !stage.probe.has_done("crowd", "a", 20));
    Verdict::Held
}
