//! What a new owner finds parked, beside what comes from the source again (D1, D2).

use events_core::{Outgoing, header};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::probe::Step;
use super::stage::{SOURCE, Stage, pairs, status_once};
use crate::eventually;

subject!(Overtaken, keep_place, "conformance-parked-overtaken");

/// The process dies when a record is parked and an earlier one of its key is not, whose append was refused for a moment. The next
/// owner runs them in the order of the source.
pub async fn an_earlier_record_that_was_not_parked_keeps_its_place<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-parked-overtaken", 1).await;
    stage.park(1).await;
    let fails = [Step::Fail("one"), Step::Fail("two")];
    stage.probe.script("keep_place", "a", 0, fails);
    let running = stage.start_with(stage.parking_service()).await;
    eventually("the log is claimed", async || {
        let lanes = running.status().await.lanes;
        lanes.len() == 1 && lanes[0].holding.is_none()
    })
    .await;
    broker.hold_acks();
    broker.refuse(&stage.parked_topic(), "not now");
    stage.send::<Overtaken>("a", 0).await;
    eventually("the first is refused", async || broker.held_acks() == 1).await;
    broker.accept(&stage.parked_topic());
    stage.send::<Overtaken>("a", 1).await;
    eventually("the second is parked", async || {
        facts(&stage.read(&stage.parked_topic()).await, "parked").count() == 1
    })
    .await;
    running.kill().await;
    broker.release_acks();
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(2).await;
    stage.done_once("keep_place", 2).await;
    running.shutdown().await;
    stage.probe.assert_order("keep_place");
    let expected = pairs(&[("a", 0), ("a", 1)]);
    assert_eq!(stage.probe.done("keep_place"), expected);
    Verdict::Held
}

subject!(Twin, take_twin, "conformance-parked-twins");

/// A new owner finds parked what only a newer build can read, and what was given up since: neither makes a duplicate of an event
/// that bears the same id.
pub async fn what_was_not_handled_before_makes_no_duplicates<C: Cluster>(cluster: &C) -> Verdict {
    let capabilities = cluster.capabilities();
    if !(capabilities.parking && capabilities.kill) {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-twins", 1).await;
    stage.park(1).await;
    stage
        .probe
        .script("take_twin", "slow", 0, [Step::Gate("slow may end")]);
    let hopeless = [
        Step::Fail("one"),
        Step::Fail("two"),
        Step::Terminal("never"),
    ];
    stage.probe.script("take_twin", "given up", 0, hopeless);
    let twin = |key: &str, seq: u64, id: &str, version: &str, value: &str| {
        let mut record = Outgoing::new(stage.name);
        record.set_key(key.as_bytes());
        record.set_value(
            value
                .replace("KEY", key)
                .replace("SEQ", &seq.to_string())
                .as_bytes(),
        );
        for (name, value) in [
            (header::TYPE, stage.name),
            (header::SOURCE, SOURCE),
            (header::ID, id),
            (header::EVENT_VERSION, version),
        ] {
            record.add_header(name, value);
        }
        record
    };
    const EVENT: &str = r#"{"key":"KEY","seq":SEQ}"#;
    stage.produce(twin("slow", 0, "0", "1", EVENT)).await;
    stage
        .produce(twin("later", 0, "1", "2", r#"{"name":"KEY"}"#))
        .await;
    stage.produce(twin("given up", 0, "2", "1", EVENT)).await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.letters_once(1).await;
    status_once(&running, "the later one is parked", |status| {
        status.lanes.iter().any(|lane| lane.parked_records == 1)
    })
    .await;
    eventually("all but the first is committed", async || {
        !stage.metadata().await.is_empty()
    })
    .await;
    running.kill().await;
    assert_eq!(stage.committed().await, 0);
    stage.produce(twin("other", 1, "1", "1", EVENT)).await;
    stage.produce(twin("given up", 1, "2", "1", EVENT)).await;
    stage.probe.open("slow may end");
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(5).await;
    running.shutdown().await;
    let mut done = stage.probe.done("take_twin");
    done.sort();
    assert_eq!(done, pairs(&[("given up", 1), ("other", 1), ("slow", 0)]));
    Verdict::Held
}
