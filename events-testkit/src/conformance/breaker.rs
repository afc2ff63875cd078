//! What a handler depends on is down: it holds, and nothing is given up because of it.

use std::time::Duration;

use events_core::Class;
use events_runtime::{HoldStatus, Service};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::probe::Step;
use super::stage::{Stage, WHILE, status_once};
use crate::{eventually, throughout};

const PROBE: Duration = Duration::from_millis(20);
const KEYS: u64 = 8;
/// Far longer than a lane takes to answer on a busy machine: one that is silent for so long is unhealthy too.
const STALL: Duration = Duration::from_secs(2);

/// Five keys make a handler hold; it is tried every 20 ms.
fn service<C: Cluster>(stage: &Stage<'_, C>) -> Service {
    stage.service().configure(|settings| {
        settings.breaker_keys = 5;
        settings.hold_probe = (PROBE, PROBE);
    })
}

/// Records of distinct keys, each of which does the same.
async fn keys<E: super::stage::Subject, C: Cluster>(
    stage: &Stage<'_, C>,
    handler: &str,
    numbers: std::ops::Range<u64>,
    step: Step,
) {
    for number in numbers {
        let key = format!("k{number}");
        stage.probe.script(handler, &key, 0, [step.clone()]);
        stage.send::<E>(&key, 0).await;
    }
}

async fn held<R: Running>(running: &R) -> HoldStatus {
    let holds = |status: &events_runtime::Status| {
        let lanes = status.lanes.iter();
        lanes.flat_map(|lane| lane.holds.clone()).next()
    };
    let status = status_once(running, "the handler holds", |status| {
        holds(status).is_some()
    })
    .await;
    // The condition held for this one.
    holds(&status).expect("a handler holds")
}

async fn not_held<R: Running>(running: &R) {
    status_once(running, "no handler holds", |status| {
        status.lanes.iter().all(|lane| lane.holds.is_empty())
    })
    .await;
}

subject!(Dead, depend, "conformance-dead-dependency");

/// While everything fails nothing is given up, however often it is tried; when what was down is back, everything is
/// handled, in order.
pub async fn a_dead_dependency_costs_no_record<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-dead-dependency", 1).await;
    keys::<Dead, C>(&stage, "depend", 0..KEYS, Step::FailUntil("back")).await;
    for number in 0..KEYS {
        stage.send::<Dead>(&format!("k{number}"), 1).await;
    }
    let running = stage.start_with(service(&stage)).await;
    let hold = held(&running).await;
    assert_eq!(hold.handler, "conformance-dead-dependency/depend");
    assert!(hold.reason.contains("keys failed in a row"), "{hold:?}");
    // Far more tries than the attempts that a record has.
    eventually("it is tried for long", async || {
        stage.probe.began("depend").len() >= 40
    })
    .await;
    let status = running.status().await;
    assert!(status.healthy, "a young hold is no fault: {status:#?}");
    stage.probe.open("back");
    stage
        .committed_once(i64::try_from(2 * KEYS).unwrap_or(0))
        .await;
    not_held(&running).await;
    running.shutdown().await;
    stage.probe.assert_order("depend");
    assert_eq!(stage.probe.done("depend").len(), 2 * KEYS as usize);
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

subject!(Turned, take_turns, "conformance-probes");

/// Tries go round over the heads of distinct keys: none is tried twice while another waits for its first.
pub async fn probes_take_turns<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-probes", 1).await;
    keys::<Turned, C>(&stage, "take_turns", 0..12, Step::FailUntil("never")).await;
    let unordered = service(&stage).configure(|settings| settings.concurrency = 4);
    let running = stage.start_with(unordered).await;
    held(&running).await;
    let before = stage.probe.began("take_turns").len();
    let tries = 48;
    eventually("all have had several turns", async || {
        stage.probe.began("take_turns").len() >= before + tries
    })
    .await;
    running.shutdown().await;
    let began = stage.probe.began("take_turns");
    let tried = &began[before..before + tries];
    for number in 0..12 {
        let key = format!("k{number}");
        let turns = tried.iter().filter(|(known, _)| *known == key).count();
        assert!(turns >= 1, "{key} had no turn: {tried:?}");
    }
    assert!(
        tried.windows(2).all(|pair| pair[0] != pair[1]),
        "one key twice in a row: {tried:?}"
    );
    Verdict::Held
}

subject!(Venomous, swallow, "conformance-many-poison");

/// Keys that fail by themselves cannot hold a lane for ever: past the longest hold it is unhealthy, their failures count
/// again, and it goes on behind them.
pub async fn many_poison_keys_do_not_stall_for_ever<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-many-poison", 1).await;
    keys::<Venomous, C>(&stage, "swallow", 0..6, Step::FailAlways("poison")).await;
    let service = service(&stage).configure(|settings| {
        // Far longer than a look at what is not given up at first.
        settings.hold_max = Duration::from_secs(5);
    });
    let running = stage.start_with(service).await;
    held(&running).await;
    throughout("nothing is given up at first", WHILE, async || {
        stage.letters().await.is_empty()
    })
    .await;
    let status = status_once(&running, "the lane is unhealthy", |status| !status.healthy).await;
    let reason = status.lanes[0].unhealthy.clone().unwrap_or_default();
    assert!(
        reason.contains("conformance-many-poison/swallow") && reason.contains("count"),
        "{reason}"
    );
    stage.letters_once(6).await;
    stage.committed_once(6).await;
    stage.send::<Venomous>("well", 0).await;
    stage.committed_once(7).await;
    not_held(&running).await;
    status_once(&running, "the lane is well again", |status| status.healthy).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Remote, call, "conformance-unavailable", retry(attempts = 1));

/// An error that says that something is unavailable makes the handler hold at once, counts against no record, and may
/// last for ever.
pub async fn unavailable_holds_at_once<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-unavailable", 1).await;
    let step = Step::UnavailableUntil("the till is back");
    stage.probe.script("call", "a", 0, [step]);
    stage.send::<Remote>("a", 0).await;
    let service = service(&stage).configure(|settings| settings.hold_max = PROBE);
    let running = stage.start_with(service).await;
    let hold = held(&running).await;
    assert!(hold.reason.contains("unavailable"), "{hold:?}");
    // Its only attempt is not used up, though it is tried for longer than any other hold may last.
    eventually("it is tried again", async || {
        stage.probe.attempts("call", "a", 0) >= 5
    })
    .await;
    let status = running.status().await;
    assert!(status.healthy, "{status:#?}");
    stage.probe.open("the till is back");
    stage.committed_once(1).await;
    not_held(&running).await;
    running.shutdown().await;
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

subject!(Tabled, look_up, "conformance-classified");

/// The service's table says what errors mean that say nothing themselves.
pub async fn a_table_classifies_errors<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-classified", 1).await;
    stage
        .probe
        .script("look_up", "a", 0, [Step::FailAlways("no such article")]);
    stage
        .probe
        .script("look_up", "b", 0, [Step::FailUntil("down")]);
    let service = service(&stage).classify(|error| match error.to_string().as_str() {
        "no such article" => Some(Class::Terminal),
        "down" => Some(Class::Unavailable),
        _ => None,
    });
    let running = stage.start_with(service).await;
    stage.send::<Tabled>("a", 0).await;
    stage.letters_once(1).await;
    assert_eq!(stage.probe.attempts("look_up", "a", 0), 1);
    stage.send::<Tabled>("b", 0).await;
    held(&running).await;
    stage.probe.open("down");
    stage.committed_once(2).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Shared, rest, "conformance-paused");
reader!(Shared, go_on, "conformance-paused");

/// A paused handler takes no work, other handlers of its group go on until the lane is full, and it goes on where it
/// stood.
pub async fn a_handler_is_paused_and_resumed<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-paused", 1).await;
    let service = service(&stage).configure(|settings| {
        settings.lane_records = 20;
        settings.lane_held = 10;
        settings.stall = STALL;
    });
    let running = stage.start_with(service).await;
    stage.send::<Shared>("a", 0).await;
    stage.committed_once(1).await;
    assert!(running.pause("rest") && !running.pause("nobody"));
    let hold = held(&running).await;
    assert_eq!(
        (hold.handler.as_str(), hold.reason.as_str()),
        ("conformance-paused/rest", "paused")
    );
    for seq in 1..=10 {
        stage.send::<Shared>("a", seq).await;
    }
    stage.done_once("go_on", 11).await;
    for seq in 11..=40 {
        stage.send::<Shared>("a", seq).await;
    }
    let status = status_once(&running, "the lane is full", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let holding = status.lanes[0].holding.clone().unwrap_or_default();
    assert!(
        holding.contains("conformance-paused/rest") && holding.contains("paused"),
        "{holding}"
    );
    throughout(
        "the paused one rests, the other stops",
        STALL + WHILE,
        async || stage.probe.done("rest").len() == 1 && stage.probe.done("go_on").len() <= 21,
    )
    .await;
    let status = running.status().await;
    assert!(status.healthy, "a pause is no fault: {status:#?}");
    assert_eq!(stage.committed().await, 1);
    assert!(running.resume("conformance-paused/rest"));
    stage.committed_once(41).await;
    not_held(&running).await;
    running.shutdown().await;
    assert_eq!(stage.probe.done("rest").len(), 41);
    stage.probe.assert_order("rest");
    Verdict::Held
}
