//! A failed key waits in order, durably, and everything else flows (design §7).

use std::time::Duration;

use events_core::{Meta, Outgoing, State, event, handler, header};
use events_runtime::{dead_letter_header as letter, parked_header as name};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::{Probe, Step};
use super::stage::{Stage, Subject, WHILE, pairs, record_of, status_once};
use crate::received::Received;
use crate::{eventually, throughout};

/// What a cluster lacks that cannot park.
pub(super) const LACKING: Verdict = Verdict::Lacking("parking");

/// The facts of one kind in a parked log.
pub(super) fn facts<'a>(log: &'a [Received], kind: &'a str) -> impl Iterator<Item = &'a Received> {
    log.iter()
        .filter(move |record| record.header_text(name::FACT).as_deref() == Some(kind))
}

subject!(Parked, wait, "conformance-parked");

/// A record that failed every attempt in its slot parks its key: the watermark passes it, other keys flow, later records
/// of the key wait behind it, and all are done in order once it succeeds.
pub async fn a_parked_key_waits_in_order_and_others_flow<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("unlocked");
    stage.probe.script("wait", "a", 1, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..5 {
        stage.send::<Parked>("a", seq).await;
        stage.send::<Parked>("b", seq).await;
    }
    // The parked records are done for the source: they are durable elsewhere.
    stage.committed_once(10).await;
    assert_eq!(stage.probe.done("wait").len(), 6, "a-0 and all of b");
    let status = status_once(&running, "the key is listed", |status| {
        status.lanes[0].parked_records == 4
    })
    .await;
    let lane = &status.lanes[0];
    assert_eq!((lane.parked_keys, lane.unhealthy.as_ref()), (1, None));
    let trouble = lane.troubles.iter().find(|trouble| trouble.parked);
    let trouble = trouble.expect("the parked key is among the troubles");
    assert_eq!((trouble.key.as_str(), trouble.offset), ("a", 2));
    assert!(trouble.error.contains("unlocked"), "{trouble:?}");
    for seq in 5..8 {
        stage.send::<Parked>("a", seq).await;
        stage.send::<Parked>("b", seq).await;
    }
    stage.committed_once(16).await;
    stage.probe.open("unlocked");
    stage.done_once("wait", 16).await;
    status_once(&running, "nothing is parked", |status| {
        status.lanes[0].parked_records == 0
    })
    .await;
    assert!(running.shutdown().await.drained);
    stage.probe.assert_order("wait");
    let done = stage.probe.done("wait");
    let of_a: Vec<_> = done.into_iter().filter(|(key, _)| key == "a").collect();
    assert_eq!(
        of_a,
        (0..8).map(|seq| ("a".to_owned(), seq)).collect::<Vec<_>>()
    );
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(
        (facts(&log, "parked").count(), facts(&log, "done").count()),
        (7, 7)
    );
    let first = facts(&log, "parked").next().expect("there are seven");
    assert_eq!(first.header_text(name::OFFSET).as_deref(), Some("2"));
    assert_eq!(first.header_text(name::ATTEMPTS).as_deref(), Some("2"));
    assert_eq!(
        first.header_text(name::HANDLER).as_deref(),
        Some("conformance-parked/wait")
    );
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

subject!(Freed, free, "conformance-released");

/// Once nothing of a key is open its records go straight to the slot again.
pub async fn a_released_key_is_parked_no_more<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-released", 1).await;
    stage.park(1).await;
    let fails = [Step::Fail("one"), Step::Fail("two")];
    stage.probe.script("free", "a", 0, fails);
    stage.send::<Freed>("a", 0).await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.done_once("free", 1).await;
    // A status may be older than that; one that knows of a later record is not.
    stage.send::<Freed>("b", 1).await;
    status_once(&running, "nothing is parked", |status| {
        status.lanes[0].parked_records == 0 && status.lanes[0].watermark == 2
    })
    .await;
    stage.send::<Freed>("a", 2).await;
    stage.done_once("free", 3).await;
    stage.committed_once(3).await;
    running.shutdown().await;
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 1, "{log:#?}");
    Verdict::Held
}

subject!(
    Blocking,
    block_crowd,
    "conformance-parked-blocks",
    exhausted = "block"
);

/// Where nothing may be given up the lane takes no more records at the bound of a key, and its status names handler and key; it
/// goes on by itself.
pub async fn parked_records_are_bounded_and_named<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-blocks", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("room");
    stage.probe.script("block_crowd", "a", 0, [fails]);
    let service = stage.parking_service().configure(|settings| {
        settings.parked_per_key = 20;
        // What is on its way to the log counts when it has been read back.
        settings.lane_records = 10;
        settings.lane_held = 10;
    });
    let running = stage.start_with(service).await;
    stage.send::<Blocking>("a", 0).await;
    stage.committed_once(1).await;
    for seq in 1..100 {
        stage.send::<Blocking>("a", seq).await;
    }
    // On its way there the lane may hold for other reasons.
    let full = "20 records of one key";
    let status = status_once(&running, "the lane holds", |status| {
        let holding = status.lanes[0].holding.as_deref().unwrap_or_default();
        status.lanes[0].parked_records >= 20 && holding.contains(full)
    })
    .await;
    let holding = status.lanes[0].holding.clone().unwrap_or_default();
    for part in ["conformance-parked-blocks/block_crowd", "key a", "room"] {
        assert!(holding.contains(part), "{part}: {holding}");
    }
    throughout("no more is taken", WHILE, async || {
        running.status().await.lanes[0].parked_records < 40
    })
    .await;
    stage.probe.open("room");
    stage.committed_once(100).await;
    stage.done_once("block_crowd", 100).await;
    running.shutdown().await;
    stage.probe.assert_order("block_crowd");
    Verdict::Held
}

subject!(
    Ageing,
    age,
    "conformance-parked-age",
    park(backoff = "50ms..100ms", max_age = "400ms")
);

/// A record that was parked for too long is dead-lettered, with all its attempts, and its key goes on.
pub async fn a_parked_record_too_old_is_dead_lettered_and_its_key_goes_on<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-age", 1).await;
    stage.park(1).await;
    let fails = Step::FailAlways("for ever");
    stage.probe.script("age", "a", 0, [fails]);
    let service = stage
        .service()
        .configure(|settings| settings.retry.attempts = 2);
    let running = stage.start_with(service).await;
    for seq in 0..3 {
        stage.send::<Ageing>("a", seq).await;
    }
    let letters = stage.letters_once(1).await;
    stage.done_once("age", 2).await;
    stage.committed_once(3).await;
    running.shutdown().await;
    let attempts = stage.probe.attempts("age", "a", 0);
    // Two in the slot, and at least one more while it was parked.
    assert!(attempts >= 3, "{attempts}");
    let told = |header: &str| letters[0].header_text(header).unwrap_or_default();
    assert_eq!(told(letter::ATTEMPTS), attempts.to_string());
    assert_eq!(
        (told(letter::TOPIC).as_str(), told(letter::OFFSET).as_str()),
        (stage.name, "0")
    );
    assert!(told(letter::ERROR).contains("for ever"));
    assert!(!told(letter::SINCE).is_empty());
    assert!(
        letters[0].header_text(name::HANDLER).is_none(),
        "its own headers alone"
    );
    assert_eq!(letters[0].header_text(header::ID).as_deref(), Some("a-0"));
    stage.probe.assert_order("age");
    Verdict::Held
}

subject!(
    Stubborn,
    insist,
    "conformance-blocked",
    park(backoff = "20ms..40ms", max_age = "100ms"),
    exhausted = "block"
);

/// Where exhausted records block, a key is never given up, not even by a hopeless error; others flow.
pub async fn a_blocked_key_is_never_given_up<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-blocked", 1).await;
    stage.park(1).await;
    let steps = [
        Step::Terminal("without hope"),
        Step::Terminal("without hope"),
        Step::FailUntil("yes"),
    ];
    stage.probe.script("insist", "a", 0, steps);
    let running = stage.start_with(stage.service()).await;
    stage.send::<Stubborn>("a", 0).await;
    stage.send::<Stubborn>("a", 1).await;
    stage.send::<Stubborn>("b", 0).await;
    stage.done_once("insist", 1).await;
    eventually("it is tried long past its age", async || {
        stage.probe.attempts("insist", "a", 0) > 10
    })
    .await;
    assert_eq!(stage.probe.done("insist"), pairs(&[("b", 0)]));
    assert!(stage.letters().await.is_empty());
    stage.probe.open("yes");
    stage.done_once("insist", 3).await;
    stage.committed_once(3).await;
    running.shutdown().await;
    stage.probe.assert_order("insist");
    Verdict::Held
}

subject!(Loner, alone, "conformance-parked-keyless");

/// A record without a key parks alone: nothing waits behind it.
pub async fn records_without_a_key_park_alone<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-keyless", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("alone", "x", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    for seq in 0..5 {
        let keyed = record_of(&Loner::new("x", seq), &format!("x-{seq}"));
        let mut record = Outgoing::new(stage.name);
        record.set_value(keyed.value().unwrap_or_default());
        for (header, value) in keyed.headers() {
            record.add_raw_header(header, value);
        }
        stage.produce(record).await;
    }
    stage.done_once("alone", 4).await;
    stage.committed_once(5).await;
    let log = stage.read(&stage.parked_topic()).await;
    assert_eq!(facts(&log, "parked").count(), 1);
    stage.probe.open("now");
    stage.done_once("alone", 5).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Unwelcome, knock, "conformance-parked-refused");

/// While the parked topic refuses records the lane holds, with the reason; nothing is dropped or reordered.
pub async fn a_refused_append_holds_the_lane<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to refuse records");
    };
    let stage = Stage::set(cluster, "conformance-parked-refused", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("knock", "a", 0, [fails]);
    let running = stage.start_with(stage.parking_service()).await;
    status_once(&running, "the log is claimed", |status| {
        status.lanes.iter().any(|lane| lane.holding.is_none())
    })
    .await;
    broker.refuse(&stage.parked_topic(), "no right to write");
    for seq in 0..4 {
        stage.send::<Unwelcome>("a", seq).await;
    }
    let status = status_once(&running, "the lane holds", |status| {
        let holding = status.lanes[0].holding.as_deref().unwrap_or_default();
        holding.contains("no right to write")
    })
    .await;
    let holding = status.lanes[0].holding.clone().unwrap_or_default();
    assert!(
        holding.contains(&format!("the parked topic `{}`", stage.parked_topic())),
        "{holding}"
    );
    assert_eq!(stage.committed().await, 0);
    broker.accept(&stage.parked_topic());
    stage.committed_once(4).await;
    stage.probe.open("now");
    stage.done_once("knock", 4).await;
    running.shutdown().await;
    stage.probe.assert_order("knock");
    let log = stage.read(&stage.parked_topic()).await;
    let offsets = facts(&log, "parked").filter_map(|fact| fact.header_text(name::OFFSET));
    assert_eq!(offsets.collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    Verdict::Held
}

#[event(topic = "conformance-parked-version", key = key, version = 2, crate = crate::conformance::listed)]
pub(crate) struct Versioned {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

#[handler(service = "conformance-parked-version", crate = crate::conformance::listed)]
async fn take_versioned(event: Versioned, meta: Meta, probe: State<Probe>) {
    probe.note(format!("{}-{} v{}", event.key, event.seq, meta.version));
}

/// A record of a later version that cannot be read waits, with its key, for a build that can; one of a version that is
/// known is dead-lettered at once (D5).
pub async fn a_later_version_waits_for_a_newer_build<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-version", 1).await;
    stage.park(1).await;
    let versioned = |version: &str, value: &[u8]| {
        let mut record = Outgoing::new("conformance-parked-version");
        record
            .set_key(b"a")
            .set_value(value)
            .add_header(header::TYPE, "Versioned")
            .add_header(header::EVENT_VERSION, version);
        record
    };
    stage.produce(versioned("2", br#"{"key":"a"}"#)).await;
    stage.produce(versioned("3", br#"{"key":"a"}"#)).await;
    stage
        .produce(versioned("2", br#"{"key":"a","seq":9}"#))
        .await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(3).await;
    let letters = stage.letters_once(1).await;
    assert_eq!(letters[0].header_text(letter::OFFSET).as_deref(), Some("0"));
    throughout(
        "the key waits",
        WHILE + Duration::from_millis(200),
        async || stage.probe.notes().is_empty(),
    )
    .await;
    status_once(&running, "both are parked", |status| {
        status.lanes[0].parked_records == 2
    })
    .await;
    running.shutdown().await;
    assert_eq!(stage.letters().await.len(), 1);
    Verdict::Held
}
