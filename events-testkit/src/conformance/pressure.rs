//! Memory is bounded (D7).

use std::time::Duration;

use events_core::{Outgoing, Result, State, event, handler};
use events_runtime::TopicPartition;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::probe::{Probe, Step};
use super::stage::{Stage, Subject, WHILE, record_of, status_once};
use crate::{eventually, throughout};

subject!(Piled, pile, "conformance-held");

/// At the bound of held records the lane takes no more, and says which handler and key are to blame; nothing is dropped
/// (D6).
pub async fn held_records_are_bounded_and_named<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-held", 1).await;
    let stuck = Step::FailUntil("the till is stuck");
    stage.probe.script("pile", "bad", 0, [stuck]);
    for seq in 0..200 {
        stage.send::<Piled>("bad", seq).await;
    }
    let service = stage.service().configure(|settings| {
        settings.lane_held = 20;
        settings.batch = 10;
        settings.retry.attempts = u32::MAX;
        settings.retry.min = Duration::from_secs(1);
        settings.retry.max = settings.retry.min;
    });
    let running = stage.start_with(service).await;
    let status = status_once(&running, "the lane holds", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let lane = &status.lanes[0];
    let holding = lane.holding.as_deref().unwrap_or_default();
    for word in ["conformance-held/pile", "bad", "the till is stuck"] {
        assert!(holding.contains(word), "`{word}` is not in: {holding}");
    }
    assert!(lane.held >= 20 && lane.held < 40, "{lane:#?}");
    assert!(lane.received < 60, "{lane:#?}");
    assert_eq!(lane.troubles[0].key, "bad");
    stage.probe.open("the till is stuck");
    stage.committed_once(200).await;
    running.shutdown().await;
    let done: Vec<_> = stage
        .probe
        .done("pile")
        .into_iter()
        .map(|(_, seq)| seq)
        .collect();
    assert_eq!(
        done,
        (0..200).collect::<Vec<_>>(),
        "nothing is dropped, and all is in order"
    );
    Verdict::Held
}

subject!(Waited, wait_for, "conformance-waited");

/// A lane that may not get further ahead of a failed record says which handler and key it waits for.
pub async fn a_full_lane_names_what_it_waits_for<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-waited", 1).await;
    let stuck = Step::FailUntil("the till is stuck");
    stage.probe.script("wait_for", "bad", 0, [stuck]);
    stage.send::<Waited>("bad", 0).await;
    for seq in 1..100 {
        stage.send::<Waited>("good", seq).await;
    }
    let service = stage.service().configure(|settings| {
        settings.lane_ahead = 20;
        settings.batch = 10;
        settings.retry.attempts = u32::MAX;
        settings.retry.min = Duration::from_secs(1);
        settings.retry.max = settings.retry.min;
    });
    let running = stage.start_with(service).await;
    let words = [
        "the lane is full",
        "conformance-waited/wait_for",
        "bad",
        "the till is stuck",
    ];
    status_once(&running, "the lane says what it waits for", |status| {
        let holding = status.lanes.iter().find_map(|lane| lane.holding.as_deref());
        holding.is_some_and(|holding| words.iter().all(|word| holding.contains(word)))
    })
    .await;
    stage.probe.open("the till is stuck");
    stage.committed_once(100).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Capped, fill, "conformance-capped");

/// A lane takes no more records than its cap; it goes on when they are done (D7).
pub async fn records_in_flight_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-capped", 1).await;
    stage
        .probe
        .script("fill", "a", 0, [Step::Gate("a may go on")]);
    for seq in 0..100 {
        stage.send::<Capped>("a", seq).await;
    }
    let service = stage.service().configure(|settings| {
        settings.lane_records = 16;
        settings.lane_held = 8;
    });
    let running = stage.start_with(service).await;
    stage.begun_once("fill", "a", 0).await;
    let status = status_once(&running, "the lane is full", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    assert_eq!(status.lanes[0].in_flight, 16, "{status:#?}");
    throughout("the lane takes no more", WHILE, async || {
        running
            .status()
            .await
            .lanes
            .iter()
            .all(|lane| lane.received == 16)
    })
    .await;
    stage.probe.open("a may go on");
    stage.committed_once(100).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("fill").len(), 100);
    Verdict::Held
}

subject!(Bulky, carry, "conformance-bytes");

/// Bytes of a bulky record's value, the cap in such records, and how many more may come in one batch. A transport may count up
/// to 4.5 KiB more for what it keeps of each record: the value is large beside that.
const BULK: usize = 16 * 1024;
const FIT: usize = 8;
const BATCH: usize = 2;

fn bulky(seq: u64) -> Outgoing {
    let mut record = record_of(&Bulky::new("a", seq), &format!("a-{seq}"));
    let padding = "x".repeat(BULK);
    record.set_value(format!(r#"{{"key":"a","seq":{seq},"padding":"{padding}"}}"#).as_bytes());
    record
}

/// A lane takes no more bytes than its cap, beyond the batch that passes it; it goes on when they are done (D7).
pub async fn bytes_in_flight_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-bytes", 1).await;
    stage
        .probe
        .script("carry", "a", 0, [Step::Gate("a may go on")]);
    for seq in 0..50 {
        stage.produce(bulky(seq)).await;
    }
    let service = stage.service().configure(|settings| {
        settings.lane_bytes = FIT * BULK;
        settings.batch = BATCH;
    });
    let running = stage.start_with(service).await;
    stage.begun_once("carry", "a", 0).await;
    let status = status_once(&running, "the lane is full", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let in_flight = status.lanes[0].in_flight;
    assert!(
        (FIT - BATCH..=FIT + BATCH).contains(&in_flight),
        "{status:#?}"
    );
    throughout("the lane takes no more", WHILE, async || {
        let status = running.status().await;
        status.lanes[0].received == in_flight as u64
    })
    .await;
    stage.probe.open("a may go on");
    stage.committed_once(50).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("carry").len(), 50);
    Verdict::Held
}

subject!(Topped, carry_headers, "conformance-header-bytes");

#[event(
    topic = "conformance-unread-bytes",
    key = key,
    topic_exclusive,
    crate = crate::conformance::listed
)]
pub(crate) struct Lidded {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

reader!(
    Lidded,
    carry_unread,
    "conformance-unread-bytes",
    dedupe = false
);

/// Bytes of headers count as those of values do, also where nobody reads headers (D7).
pub async fn bytes_of_headers_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    headers_are_bounded(cluster, "conformance-header-bytes", "carry_headers").await;
    headers_are_bounded(cluster, "conformance-unread-bytes", "carry_unread").await;
    Verdict::Held
}

/// What each record's headers have: seen between two records, and too much to be seen so.
const HEADERS: [usize; 2] = [2 * 1024, 8 * 1024];

async fn headers_are_bounded<C: Cluster>(cluster: &C, name: &'static str, handler: &'static str) {
    let stage = Stage::set(cluster, name, 1).await;
    stage
        .probe
        .script(handler, "a", 0, [Step::Gate("a may go on")]);
    for seq in 0..50 {
        let mut headed = record_of(&Topped::new("a", seq), &format!("a-{seq}"));
        headed.topic = name.into();
        let bytes = HEADERS[usize::from(seq % 2 == 1)];
        headed.add_header("blob", vec![b'x'; bytes]);
        stage.produce(headed).await;
    }
    let mean = HEADERS.iter().sum::<usize>() / HEADERS.len();
    let service = stage.service().configure(|settings| {
        settings.lane_bytes = FIT * mean;
        settings.batch = BATCH;
    });
    let running = stage.start_with(service).await;
    stage.begun_once(handler, "a", 0).await;
    let status = status_once(&running, "the lane is full", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let in_flight = status.lanes[0].in_flight;
    assert!(
        (FIT - BATCH..=FIT + BATCH).contains(&in_flight),
        "{status:#?}"
    );
    throughout("the lane takes no more", WHILE, async || {
        let status = running.status().await;
        status.lanes[0].received == in_flight as u64
    })
    .await;
    stage.probe.open("a may go on");
    stage.committed_once(50).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began(handler).len(), 50);
}

#[event(topic = "conformance-emitted", key = key, crate = crate::conformance::listed)]
pub(crate) struct Demand {
    pub(crate) key: String,
}
#[event(topic = "conformance-emitted-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Supply {
    pub(crate) key: String,
    pub(crate) text: String,
}

/// Bytes of an emission's value, of which its bookkeeping is a small part.
const BULKY_EMISSION: usize = 16 * 1024;

#[handler(service = "conformance-emitted", crate = crate::conformance::listed)]
async fn supply(demand: Demand, probe: State<Probe>) -> Result<Supply> {
    probe.attempt("supply", &demand.key, 0).await?;
    let text = "x".repeat(BULKY_EMISSION);
    Ok(Supply {
        key: demand.key,
        text,
    })
}

/// While what it emitted is not acknowledged, a lane takes no more than makes up its cap of bytes; it goes on with the
/// acknowledgements (D7, §7).
pub async fn bytes_of_emissions_are_bounded<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to hold acknowledgements back");
    };
    let stage = Stage::set(cluster, "conformance-emitted", 1).await;
    stage.topic("conformance-emitted-out", 1).await;
    for number in 0..50 {
        let demand = Demand { key: "a".into() };
        stage
            .produce(record_of(&demand, &format!("demand-{number}")))
            .await;
    }
    broker.hold_acks();
    let service = stage.service().configure(|settings| {
        settings.lane_emission_bytes = FIT * BULKY_EMISSION;
        settings.batch = BATCH;
    });
    let running = stage.start_with(service).await;
    let status = status_once(&running, "the lane is full", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    let emitted = status.lanes[0].unacknowledged;
    assert!(
        (FIT - BATCH..=FIT + BATCH).contains(&emitted),
        "{status:#?}"
    );
    throughout("the lane takes no more", WHILE, async || {
        let status = running.status().await;
        status.lanes[0].received == emitted as u64 && stage.committed().await == 0
    })
    .await;
    broker.release_acks();
    stage.committed_once(50).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("supply").len(), 50, "each once");
    Verdict::Held
}

subject!(Far, run_ahead, "conformance-ahead");

const COUNT: u64 = 2_000;

/// While records do not end, a lane stops before the map of what is done could outgrow its metadata; the map is never
/// cut (D3 a).
pub async fn the_map_never_outgrows_its_metadata<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to leave offsets out");
    };
    let stage = Stage::set(cluster, "conformance-ahead", 1).await;
    // The worst pattern: every other record waits, and between two offsets lie many.
    let partition = TopicPartition::new(stage.name, 0);
    for seq in 0..COUNT {
        let key = format!("k{seq}");
        if seq % 2 == 0 {
            stage
                .probe
                .script("run_ahead", &key, seq, [Step::Gate("all may go on")]);
        }
        broker.skip_offsets(&partition, 99);
        stage.send::<Far>(&key, seq).await;
    }
    let running = stage
        .start_with(
            stage
                .service()
                .configure(|settings| settings.concurrency = 4_000),
        )
        .await;
    let status = status_once(&running, "the lane holds", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_some())
    })
    .await;
    assert!(status.lanes[0].received < COUNT, "{status:#?}");
    eventually("a map is committed", async || {
        stage.metadata().await.len() > 500
    })
    .await;
    throughout("the map is short enough", WHILE, async || {
        stage.metadata().await.len() <= events_runtime::offset_map::MAX_METADATA
    })
    .await;
    running.kill().await;
    stage.probe.open("all may go on");
    let done = stage.probe.done("run_ahead").len();
    let running = stage.start().await;
    stage
        .committed_once(100 * i64::try_from(COUNT).unwrap_or(0))
        .await;
    running.shutdown().await;
    assert!(done > 100, "{done}");
    assert_eq!(
        stage.probe.done("run_ahead").len(),
        COUNT as usize,
        "the map was whole: nothing is done twice"
    );
    Verdict::Held
}
