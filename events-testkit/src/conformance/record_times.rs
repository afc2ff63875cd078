//! Times of records that other topics refuse (D5, D6).

use events_core::{EventDescriptor, Middleware, Outgoing, Result, State, event, handler, header};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::probe::{Probe, Step};
use super::stage::{Stage, record_of, status_once};
use crate::eventually;
use crate::received::Received;

#[event(topic = "conformance-times", key = key, crate = crate::conformance::listed)]
pub(crate) struct Stamped {
    pub(crate) key: String,
}
#[event(topic = "conformance-times-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Restamped {
    pub(crate) key: String,
}

#[handler(service = "conformance-times", crate = crate::conformance::listed)]
async fn restamp(stamped: Stamped, probe: State<Probe>) -> Result<Restamped> {
    probe.attempt("restamp", &stamped.key, 0).await?;
    Ok(Restamped { key: stamped.key })
}

/// The time of one who takes milliseconds for microseconds.
const MICROS: i64 = 1_700_000_000_000_000;
/// No topic of the scenario but the source takes what is later.
const LATEST: i64 = 1_900_000_000_000;

/// Gives what is published the time of its producer.
struct Dating;

impl Middleware for Dating {
    fn on_publish(&self, _: &EventDescriptor, record: &mut Outgoing) {
        record.timestamp = Some(MICROS);
    }
}

/// A record whose time another topic refuses is dead-lettered, parked and redriven, and emitted, with its time in a header;
/// the partition goes on.
pub async fn a_time_that_a_topic_refuses_goes_into_a_header<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to let a topic refuse times");
    };
    let stage = Stage::set(cluster, "conformance-times", 1).await;
    stage.park(1).await;
    stage.topic("conformance-times-out", 1).await;
    for topic in [
        stage.dead_letter_topic(),
        stage.parked_topic(),
        "conformance-times-out".to_owned(),
    ] {
        broker.refuse_times_after(&topic, LATEST, false);
    }
    stage
        .probe
        .script("restamp", "lost", 0, [Step::Terminal("never")]);
    stage
        .probe
        .script("restamp", "parked", 0, [Step::FailUntil("now")]);
    let running = stage
        .start_with(stage.parking_service().middleware(Dating))
        .await;
    for (place, key) in ["lost", "parked", "emitted"].into_iter().enumerate() {
        broker.refuse_times_after("conformance-times-out", LATEST, key == "emitted");
        let stamped = Stamped {
            key: key.to_owned(),
        };
        let mut record = record_of(&stamped, key);
        record.timestamp = Some(MICROS);
        stage.produce(record).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let micros = Some(MICROS.to_string());
    let letters = stage.letters_once(1).await;
    assert_eq!(letters[0].header_text(letter::TIMESTAMP), micros);
    assert!(letters[0].record.timestamp < Some(LATEST));
    stage.probe.open("now");
    let out = async || -> Vec<Received> { stage.read("conformance-times-out").await };
    eventually("both are emitted", async || out().await.len() == 2).await;
    for emitted in out().await {
        assert_eq!(emitted.header_text(header::RECORD_TIME), micros);
        assert!(emitted.record.timestamp < Some(LATEST), "{emitted:?}");
    }
    let parked = stage.read(&stage.parked_topic()).await;
    let parked: Vec<_> = parked
        .iter()
        .filter(|fact| fact.header_text("pk_fact").as_deref() == Some("parked"))
        .collect();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].header_text("pk_timestamp"), micros);
    let status = running.status().await;
    assert!(status.healthy, "{status:#?}");
    running.shutdown().await;
    Verdict::Held
}

#[event(topic = "conformance-clock", key = key, crate = crate::conformance::listed)]
pub(crate) struct Ticked {
    pub(crate) key: String,
}
#[event(topic = "conformance-clock-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Tocked {
    pub(crate) key: String,
}

#[handler(service = "conformance-clock", crate = crate::conformance::listed)]
async fn tick(ticked: Ticked) -> Tocked {
    Tocked { key: ticked.key }
}

/// An emission has the time of its machine. If a topic refuses that, the clock is wrong and not the record: it waits, and is
/// not given up.
pub async fn a_clock_that_a_topic_refuses_is_waited_for<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to let a topic refuse times");
    };
    let stage = Stage::set(cluster, "conformance-clock", 1).await;
    stage.topic("conformance-clock-out", 1).await;
    broker.refuse_times_after("conformance-clock-out", 0, false);
    let running = stage.start().await;
    let ticked = Ticked {
        key: "a".to_owned(),
    };
    stage.produce(record_of(&ticked, "a")).await;
    let status = status_once(&running, "the lane holds", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let holding = status.lanes[0].holding.clone().unwrap_or_default();
    assert!(holding.contains("the time of this machine"), "{holding}");
    assert_eq!(stage.committed().await, 0);
    broker.refuse_times_after("conformance-clock-out", i64::MAX, false);
    stage.committed_once(1).await;
    running.shutdown().await;
    assert_eq!(stage.letters().await.len(), 0);
    assert_eq!(stage.read("conformance-clock-out").await.len(), 1);
    Verdict::Held
}
