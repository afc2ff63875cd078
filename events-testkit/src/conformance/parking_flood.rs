//! More is redriven or parked than a lane may keep.

use std::time::Duration;

use events_core::{Outgoing, Park};
use events_runtime::parked_header as name;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::parking_by_hand::{action, redrive, resolutions};
use super::probe::Step;
use super::stage::{Stage, Subject, WHILE, record_of, status_once};
use crate::{eventually, throughout};

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
        // Redrives are taken up to twice that.
        settings.parked_records = LETTERS as usize / 2;
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

subject!(Overflowing, overflow, "conformance-redrive-refused");

/// Beyond twice its bound a lane takes no redrive: the dead letter is told that it is refused, and stays open, so that it can be
/// redriven once there is room.
pub async fn redrives_beyond_twice_the_bound_are_refused<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-redrive-refused", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("room");
    stage.probe.script("overflow", "a", 0, [fails]);
    let redriven = |seq: u64| {
        let id = format!("dead/0/{seq}");
        let mut fact = redrive::<C, Overflowing>(&stage, "overflow", "a", seq, &id);
        fact.add_header(name::OFFSET, seq.to_string());
        fact
    };
    for seq in 0..LETTERS {
        stage.produce(redriven(seq)).await;
    }
    let service = stage.parking_service().configure(|settings| {
        settings.parked_records = 20;
    });
    let running = stage.start_with(service).await;
    let words = async |what: &str| {
        let letters = stage.letters().await;
        resolutions(&letters)
            .filter(|word| word.ends_with(what))
            .collect::<Vec<_>>()
    };
    eventually("those beyond the bound are refused", async || {
        words("redrive-refused").await.len() == LETTERS as usize - 40
    })
    .await;
    let refused: Vec<_> = (40..LETTERS)
        .map(|seq| format!("dead/0/{seq} redrive-refused"))
        .collect();
    assert_eq!(words("redrive-refused").await, refused);
    assert_eq!(running.status().await.lanes[0].parked_records, 40);
    stage.probe.open("room");
    stage.done_once("overflow", 40).await;
    // The letter is open: it is redriven once more.
    stage.produce(redriven(50)).await;
    stage.done_once("overflow", 41).await;
    eventually("it is redriven", async || {
        words("redriven").await.len() == 41
    })
    .await;
    running.shutdown().await;
    stage.probe.assert_order("overflow");
    Verdict::Held
}

subject!(Forged, forge, "conformance-parked-forged");

/// More is parked, in the name of the lane whose claim is in force, than lanes with these settings write: the log is read no
/// further, with the reason, and once more may be kept nothing of it is lost.
pub async fn a_log_with_more_than_lanes_write_is_read_no_further<C: Cluster>(
    cluster: &C,
) -> Verdict {
    const PARKED: usize = 200;
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-forged", 1).await;
    stage.park(1).await;
    let fact = |kind: &str| {
        let mut fact = Outgoing::new(stage.parked_topic());
        fact.partition = Some(0);
        fact.set_value(b"");
        fact.add_header(name::FACT, kind);
        fact.add_header(name::TOKEN, "00000000deadbeef");
        fact
    };
    let mut claim = fact("claim");
    claim.add_header(name::GENERATION, "0");
    stage.produce(claim).await;
    for seq in 0..PARKED {
        let key = format!("key-{seq}");
        let event = record_of(&Forged::new(&key, 0), &key);
        let mut parked = fact("parked");
        parked.set_key(key.as_bytes());
        parked.set_value(event.value().unwrap_or_default());
        for (header, value) in event.headers() {
            parked.add_raw_header(header, value);
        }
        parked.add_header(name::HANDLER, "conformance-parked-forged/forge");
        parked.add_header(name::OFFSET, (1_000 + seq).to_string());
        stage.produce(parked).await;
    }
    // A parked record takes some 1.3 KiB, and the lane stops to read within a batch of its bound.
    let bounded = |bytes: usize| {
        stage.parking_service().configure(move |settings| {
            settings.batch = 10;
            settings.parked_bytes = bytes;
            settings.lane_bytes = bytes;
        })
    };
    let running = stage.start_with(bounded(20 << 10)).await;
    let status = status_once(&running, "the log is read no further", |status| {
        let lane = status.lanes.first();
        let holding = lane.and_then(|lane| lane.holding.as_deref());
        holding.unwrap_or_default().contains("raise `parked_bytes`")
    })
    .await;
    let read = status.lanes[0].parked_records;
    assert!((40..=110).contains(&read), "{read}");
    stage.send::<Forged>("source", 0).await;
    throughout("nothing is taken, and no more is read", WHILE, async || {
        let status = running.status().await;
        stage.probe.began("forge").is_empty() && status.lanes[0].parked_records == read
    })
    .await;
    running.shutdown().await;
    let running = stage.start_with(bounded(200 << 10)).await;
    stage.done_once("forge", PARKED + 1).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Pooled, pool, "conformance-parked-pool");

/// The lanes of a process park no more than it may keep: one that has less than its part goes on, another stops, and goes on by
/// itself once others have made room.
pub async fn lanes_share_what_their_process_may_park<C: Cluster>(cluster: &C) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-parked-pool", 3).await;
    stage.park(3).await;
    let record = |partition: i32, key: &str| -> Outgoing {
        let mut record = record_of(&Pooled::new(key, 0), key);
        record.partition = Some(partition);
        record
    };
    for (partition, count) in [(0, 30), (1, 40), (2, 1)] {
        for key in 0..count {
            let key = format!("{partition}-{key}");
            let fails = match partition {
                1 => Step::FailUntil("mended"),
                _ => Step::FailAlways("broken"),
            };
            stage.probe.script("pool", &key, 0, [fails]);
            stage.produce(record(partition, &key)).await;
        }
    }
    let long = Duration::from_secs(7200);
    let service = stage.parking_service().configure(|settings| {
        // A parked record takes some 1.3 KiB: those of the first lane fit, a part of the others' does not.
        settings.process_parked_bytes = 60 << 10;
        settings.breaker_keys = 0;
        settings.park = Some(Park {
            min: long,
            max: long,
            max_age: long,
        });
    });
    let running = stage.start_with(service).await;
    status_once(&running, "two lanes have parked too much", |status| {
        let says = status.lanes.iter().filter(|lane| {
            let holding = lane.holding.as_deref().unwrap_or_default();
            holding.contains("process_parked_bytes")
        });
        says.count() == 2
    })
    .await;
    for partition in 0..3 {
        stage
            .produce(record(partition, &format!("next-{partition}")))
            .await;
    }
    stage.done_once("pool", 1).await;
    throughout("the others take nothing", WHILE, async || {
        stage.probe.done("pool") == [("next-2".to_owned(), 0)]
    })
    .await;
    stage.probe.open("mended");
    let log = stage.read(&stage.parked_topic()).await;
    for parked in facts(&log, "parked").filter(|fact| fact.partition == 1) {
        let mut fact = action(&stage, "pool", "discard", "any");
        fact.partition = Some(1);
        fact.add_header(name::AT, parked.offset.to_string());
        stage.produce(fact).await;
    }
    eventually("all go on", async || {
        (0..3).all(|lane| stage.probe.has_done("pool", &format!("next-{lane}"), 0))
    })
    .await;
    running.shutdown().await;
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
