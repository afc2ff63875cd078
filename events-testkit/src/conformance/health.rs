//! Health is progress (D12).

use std::time::Duration;

use events_runtime::Status;
use tokio::time::Instant;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, WHILE, status_once};
use crate::{eventually, throughout};

/// Far longer than a busy machine takes over a look at work that has only begun.
const STALL: Duration = Duration::from_secs(2);

subject!(
    Sick,
    sicken,
    "conformance-health",
    timeout = "1h",
    retry(attempts = 1_000_000)
);

/// A lane with work that does not advance is unhealthy and says which handler and key block it; when it advances, it is
/// well again. One without work is well, and so is one whose work has only begun.
pub async fn a_lane_that_does_not_advance_is_unhealthy<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-health", 1).await;
    stage
        .probe
        .script("sicken", "failing", 0, [Step::FailAlways("no cure")]);
    stage
        .probe
        .script("sicken", "waiting", 1, [Step::Gate("cured")]);
    let service = stage.service().configure(|settings| settings.stall = STALL);
    let running = stage.start_with(service).await;
    throughout("a lane without work is well", STALL + WHILE, async || {
        running.status().await.healthy
    })
    .await;

    // A first attempt that does not end: there is no error yet that could be told.
    stage.send::<Sick>("waiting", 1).await;
    stage.begun_once("sicken", "waiting", 1).await;
    let status = running.status().await;
    assert!(
        status.healthy,
        "work that has only begun is no stall: {status:#?}"
    );
    blocked_by(&running, "waiting").await;
    stage.probe.open("cured");
    status_once(&running, "the lane is well again", |status| status.healthy).await;

    stage.send::<Sick>("failing", 0).await;
    let status = blocked_by(&running, "failing").await;
    let trouble = &status.lanes[0].troubles[0];
    assert_eq!(
        (trouble.handler.as_str(), trouble.error.as_str()),
        ("conformance-health/sicken", "no cure")
    );
    throughout("it stays unhealthy", WHILE, async || {
        !running.status().await.healthy
    })
    .await;
    running.shutdown().await;
    Verdict::Held
}

async fn blocked_by<R: Running>(running: &R, key: &str) -> Status {
    let wanted = |status: &Status| {
        let reason = status
            .lanes
            .first()
            .and_then(|lane| lane.unhealthy.as_deref());
        reason.is_some_and(|reason| {
            reason.contains("conformance-health/sicken") && reason.contains(key)
        })
    };
    let status = status_once(
        running,
        &format!("the status blames the handler and the key {key}"),
        wanted,
    )
    .await;
    assert!(!status.healthy);
    let lane = &status.lanes[0];
    assert!(!lane.restart_helps, "it would be stuck again: {lane:#?}");
    status
}

#[events_core::event(topic = "conformance-overdue", key = key, crate = crate::conformance::listed)]
pub(crate) struct Slow {
    pub(crate) key: String,
}

#[events_core::handler(service = "conformance-overdue", blocking, timeout = "50ms", crate = crate::conformance::listed)]
fn block(slow: Slow, probe: events_core::State<super::probe::Probe>) -> events_core::Result<()> {
    probe.attempt_blocking("block", &slow.key, 0)
}

/// A blocking attempt cannot be dropped: it keeps its key until it returns, and its lane is unhealthy until then. One
/// that outlives its lane is counted (D8).
pub async fn an_overdue_blocking_attempt_is_unhealthy<C: Cluster>(cluster: &C) -> Verdict {
    if clock_is_paused() {
        return Verdict::Lacking("running clock, which blocking attempts need");
    }
    let stage = Stage::set(cluster, "conformance-overdue", 1).await;
    stage
        .probe
        .script("block", "a", 0, [Step::Gate("a may return")]);
    let service = stage
        .service()
        .configure(|settings| settings.drain = Duration::from_millis(100));
    let running = stage.start_with(service).await;
    let event = |key: &str| {
        super::stage::record_of(
            &Slow {
                key: key.to_owned(),
            },
            key,
        )
    };
    stage.produce(event("a")).await;
    let status = status_once(&running, "the lane is unhealthy", |status| !status.healthy).await;
    assert!(
        status.lanes[0].restart_helps,
        "the thread does not come back: {status:#?}"
    );
    assert_eq!(
        stage.probe.began("block").len(),
        1,
        "no second attempt beside the first"
    );
    stage.probe.open("a may return");
    status_once(&running, "the lane is well again", |status| status.healthy).await;
    stage.committed_once(1).await;

    stage
        .probe
        .script("block", "b", 0, [Step::Gate("b may return")]);
    stage.produce(event("b")).await;
    stage.begun_once("block", "b", 0).await;
    let report = running.shutdown().await;
    // Opened before anything can fail: a thread that waits for ever would keep the runtime from ending.
    stage.probe.open("b may return");
    assert!(
        !report.drained && report.abandoned == 1 && report.overdue == 1,
        "{report:?}"
    );
    assert_eq!(stage.committed().await, 1);

    // One that is not late yet is counted as well: it runs on beside the next one at its key.
    stage
        .probe
        .script("block", "b", 0, [Step::Gate("c may return")]);
    let service = stage
        .service()
        .configure(|settings| settings.drain = Duration::ZERO);
    let running = stage.start_with(service).await;
    eventually("it begins again", async || {
        stage.probe.began("block").len() == 3
    })
    .await;
    let report = running.shutdown().await;
    stage.probe.open("c may return");
    assert_eq!((report.abandoned, report.overdue), (1, 1), "{report:?}");
    Verdict::Held
}

/// tokio's paused clock does not advance while a blocking attempt runs, so nothing could ever be late.
fn clock_is_paused() -> bool {
    let before = Instant::now();
    // The thread sleeps, not the test: that is how one sees whether the clock goes on without it.
    std::thread::sleep(Duration::from_millis(2));
    before == Instant::now()
}
