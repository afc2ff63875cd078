//! Records in structured mode that are parked, in a topic whose headers nobody reads.

use events_core::{Outgoing, event, header};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::reader;
use super::parking::facts;
use super::probe::Step;
use super::stage::{Stage, Subject, pairs, status_once};
use crate::eventually;

#[event(
    topic = "conformance-parked-structured",
    name = "conformance-parked-structured",
    key = key,
    topic_exclusive,
    crate = crate::conformance::listed
)]
pub(crate) struct Encased {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

impl Subject for Encased {
    fn new(key: &str, seq: u64) -> Self {
        Self {
            key: key.to_owned(),
            seq,
        }
    }
}

reader!(
    Encased,
    encase,
    "conformance-parked-structured",
    dedupe = false
);

/// A kill between an append and its acknowledgement: the source brings the records as they were, and the copies in the log
/// stand for them, in the mode that they have there.
pub async fn a_copy_in_another_mode_stands_for_its_record<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to keep acknowledgements back");
    };
    let stage = Stage::set(cluster, "conformance-parked-structured", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("encase", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "the log is claimed", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_none())
    })
    .await;
    broker.hold_acks();
    // The first is attempted, and the others wait behind it.
    for seq in 0..2 {
        let mut record = Outgoing::new(stage.name.to_owned());
        let document = format!(
            r#"{{"specversion":"1.0","type":"conformance-parked-structured","id":"{seq}","data":{{"key":"a","seq":{seq}}}}}"#
        );
        record.set_key(b"a").set_value(document.as_bytes());
        record.add_header(header::CONTENT_TYPE, "application/cloudevents+json");
        stage.produce(record).await;
    }
    stage.send::<Encased>("a", 2).await;
    eventually("three copies are written", async || {
        facts(&stage.read(&stage.parked_topic()).await, "parked").count() == 3
    })
    .await;
    running.kill().await;
    broker.release_acks();
    stage.probe.open("now");
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(3).await;
    stage.done_once("encase", 3).await;
    stage.send::<Encased>("a", 3).await;
    stage.done_once("encase", 4).await;
    running.shutdown().await;
    let expected = pairs(&[("a", 0), ("a", 1), ("a", 2), ("a", 3)]);
    assert_eq!(stage.probe.done("encase"), expected);
    Verdict::Held
}
