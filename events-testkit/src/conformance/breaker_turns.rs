//! While a handler holds, its slots take turns: no turn may be lost (D5).

use std::time::Duration;

use events_core::Outgoing;
use events_runtime::parked_header as parked;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::LACKING;
use super::probe::Step;
use super::stage::{Stage, status_once};
use crate::eventually;

subject!(Turn, wait_for_a_turn, "conformance-turns", concurrency = 8);

/// A slot whose records were parked while it waited for its turn to try passes the turn on.
pub async fn a_slot_without_records_passes_its_turn_on<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-turns", 1).await;
    stage.park(1).await;
    let probe = &stage.probe;
    probe.script("wait_for_a_turn", "slow", 0, [Step::Gate("slow may end")]);
    probe.script("wait_for_a_turn", "a", 0, [Step::UnavailableUntil("back")]);
    let service = stage.parking_service().configure(|settings| {
        settings.hold_probe = (Duration::from_secs(2), Duration::from_secs(2));
    });
    let running = stage.start_with(service).await;
    // It is not ready at once, so other keys get slots of their own.
    stage.send::<Turn>("slow", 0).await;
    stage.begun_once("wait_for_a_turn", "slow", 0).await;
    stage.send::<Turn>("a", 0).await;
    let holds = |status: &events_runtime::Status| {
        let mut lanes = status.lanes.iter();
        lanes.any(|lane| !lane.holds.is_empty())
    };
    status_once(&running, "the handler holds", holds).await;
    stage.send::<Turn>("b", 0).await;
    status_once(&running, "the record of b waits", |status| {
        status.lanes.iter().any(|lane| lane.in_flight == 3)
    })
    .await;
    // This build cannot run it, so it stays, and its key is parked.
    let mut fact = Outgoing::new(stage.parked_topic());
    fact.partition = Some(0);
    fact.set_key(b"b").set_value(b"{}");
    for (name, value) in [
        (parked::FACT, "action"),
        (parked::ACTION, "redrive"),
        (parked::HANDLER, "conformance-turns/wait_for_a_turn"),
        (parked::ACTOR, "jo"),
        (parked::OFFSET, "0"),
        (parked::REDRIVE, "conformance-turns.dead-letters/0/0"),
        ("ce_type", "Unknown"),
    ] {
        fact.add_header(name, value);
    }
    stage.produce(fact).await;
    status_once(&running, "the key of b is parked", |status| {
        status.lanes.iter().any(|lane| lane.parked_keys == 1)
    })
    .await;
    probe.open("back");
    eventually("a is tried", async || {
        probe.has_done("wait_for_a_turn", "a", 0)
    })
    .await;
    probe.open("slow may end");
    stage.committed_once(3).await;
    running.shutdown().await;
    Verdict::Held
}
