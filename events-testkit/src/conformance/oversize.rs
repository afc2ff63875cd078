//! What is larger than its topic takes: nothing is lost, and the lane goes on.

use events_core::{Outgoing, Result, State, event, handler};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::parking::{LACKING, facts};
use super::probe::{Probe, Step};
use super::stage::{Stage, Subject, record_of, status_once};
use crate::eventually;
use crate::received::Received;

/// More than a topic takes by default, and than a dead-letter topic that has room for its sources takes.
const LARGE: usize = 3_000_000;

#[event(topic = "conformance-swollen", key = key, crate = crate::conformance::listed)]
pub(crate) struct Seed {
    pub(crate) key: String,
    pub(crate) size: u32,
}
#[event(topic = "conformance-swollen-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Tree {
    pub(crate) key: String,
    pub(crate) text: String,
}

#[handler(service = "conformance-swollen", crate = crate::conformance::listed)]
async fn grow(seed: Seed, probe: State<Probe>) -> Result<Tree> {
    probe.attempt("grow", &seed.key, 0).await?;
    let text = "x".repeat(seed.size as usize);
    Ok(Tree {
        key: seed.key,
        text,
    })
}

/// The letter of an emission that is too large leaves the value out and says how large it was; its record, which makes it
/// anew, is kept whole.
pub async fn a_swollen_emission_leaves_its_value_to_its_record<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-swollen", 1).await;
    stage.topic("conformance-swollen-out", 1).await;
    let running = stage.start().await;
    for size in [LARGE as u32, 10] {
        let key = "a".to_owned();
        stage
            .produce(record_of(&Seed { key, size }, &format!("seed-{size}")))
            .await;
    }
    stage.committed_once(2).await;
    let letters = stage.letters_once(2).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("grow").len(), 2, "once for each seed");
    assert_eq!(stage.read("conformance-swollen-out").await.len(), 1);
    let types: Vec<_> = letters.iter().filter_map(Received::event_type).collect();
    assert_eq!(types, ["Seed", "Tree"]);
    assert!(letters[0].decode::<Seed>().is_ok());
    assert_eq!(letters[0].header_text(letter::OMITTED), None);
    assert_eq!(letters[1].key_text().as_deref(), Some("a"));
    assert_eq!(letters[1].record.value(), Some(&b""[..]), "no tombstone");
    let omitted: usize = letters[1]
        .header_text(letter::OMITTED)
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or_default();
    assert!(omitted > LARGE, "{omitted}");
    Verdict::Held
}

#[event(topic = "conformance-unpacked", key = key, crate = crate::conformance::listed)]
pub(crate) struct Trunk {
    pub(crate) key: String,
    pub(crate) text: String,
}

#[handler(service = "conformance-unpacked", crate = crate::conformance::listed)]
async fn unpack(trunk: Trunk, probe: State<Probe>) -> Result<()> {
    probe.attempt("unpack", &trunk.key, 0).await
}

/// A record that came compressed, and is larger than the limit once unpacked, is parked and dead-lettered whole. Where the
/// parked topic does not take it the lane holds, says so, and goes on once it does. Where the dead-letter topic does not take
/// it the lane goes on: the dead letter names the record's origin.
pub async fn what_came_packed_is_parked_and_dead_lettered_whole<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-unpacked", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("unpack", "parked", 0, [fails]);
    let never = Step::Terminal("never");
    stage.probe.script("unpack", "lost", 0, [never]);
    let running = stage.start_with(stage.parking_service()).await;
    for (place, key) in ["parked", "lost"].into_iter().enumerate() {
        let trunk = Trunk {
            key: key.to_owned(),
            text: "x".repeat(LARGE),
        };
        stage.produce(record_of(&trunk, key)).await;
        // In memory nothing is compressed.
        if let Some(broker) = cluster.broker().filter(|_| place == 0) {
            let status = status_once(&running, "the lane holds", |status| {
                let holding = status.lanes[0].holding.as_deref().unwrap_or_default();
                holding.contains("`max.message.bytes`")
            })
            .await;
            let holding = status.lanes[0].holding.clone().unwrap_or_default();
            let topic = stage.parked_topic();
            assert!(holding.contains(&topic), "{holding}");
            assert_eq!(stage.committed().await, place as i64);
            broker.limit(&topic, LARGE + 10_000);
        }
        stage.committed_once(place as i64 + 1).await;
    }
    let letters = stage.letters_once(1).await;
    let log = stage.read(&stage.parked_topic()).await;
    let parked = facts(&log, "parked").next().expect("a parked record");
    let whole = |record: &Received| {
        let trunk = record.decode::<Trunk>();
        trunk.is_ok_and(|trunk| trunk.text.len() == LARGE)
    };
    assert!(whole(parked));
    if cluster.broker().is_none() {
        assert!(whole(&letters[0]));
    } else {
        let told = |name| letters[0].header_text(name).unwrap_or_default();
        assert_eq!(letters[0].record.value(), Some(&b""[..]), "no tombstone");
        assert_eq!(told(letter::REFERENCE), "origin");
        assert_eq!(told(letter::TOPIC), stage.name);
        assert_eq!(told(letter::OFFSET), "1");
        assert!(
            told(letter::OMITTED)
                .parse::<usize>()
                .is_ok_and(|bytes| bytes > LARGE)
        );
        assert_eq!(letters[0].key_text().as_deref(), Some("lost"));
    }
    stage.probe.open("now");
    stage.done_once("unpack", 1).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Wordy, explain, "conformance-wordy");

/// A letter, or a parked record, that its topic refuses for its size gives up the error's text first; the record stays whole.
pub async fn what_is_refused_for_its_size_gives_up_its_text<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to let a topic's limit shrink");
    };
    let stage = Stage::set(cluster, "conformance-wordy", 1).await;
    stage.park(1).await;
    let text: &'static str = "x".repeat(2_000).leak();
    let fails = [Step::Fail(text), Step::Fail(text), Step::FailUntil("now")];
    stage.probe.script("explain", "parked", 0, fails);
    let never = Step::Terminal(text);
    stage.probe.script("explain", "lost", 0, [never]);
    for topic in [stage.parked_topic(), stage.dead_letter_topic()] {
        broker.limit(&topic, 1_000);
    }
    let running = stage.start_with(stage.parking_service()).await;
    for (place, key) in ["parked", "lost"].into_iter().enumerate() {
        stage.send::<Wordy>(key, 0).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let letters = stage.letters_once(1).await;
    let told = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(!told.is_empty() && !told.contains("xxx"), "{told}");
    let log = stage.read(&stage.parked_topic()).await;
    let parked = facts(&log, "parked").next().expect("a parked record");
    let value = |key: &str| -> Outgoing { record_of(&Wordy::new(key, 0), key) };
    assert_eq!(parked.record.value(), value("parked").value());
    assert_eq!(letters[0].record.value(), value("lost").value());
    stage.probe.open("now");
    eventually("the parked record is done", async || {
        stage.probe.has_done("explain", "parked", 0)
    })
    .await;
    running.shutdown().await;
    Verdict::Held
}

subject!(Pebble, drop_it, "conformance-pebble");

/// A dead letter whose topic takes not even its smallest form waits, and is whole once its topic takes it.
pub async fn a_dead_letter_that_waited_for_its_topic_is_whole<C: Cluster>(cluster: &C) -> Verdict {
    let Some(broker) = cluster.broker() else {
        return Verdict::Lacking("way to let a topic's limit shrink");
    };
    let stage = Stage::set(cluster, "conformance-pebble", 1).await;
    stage.park(1).await;
    stage
        .probe
        .script("drop_it", "lost", 0, [Step::Terminal("no use")]);
    let topic = stage.dead_letter_topic();
    broker.limit(&topic, 10);
    let running = stage.start_with(stage.parking_service()).await;
    stage.send::<Pebble>("lost", 0).await;
    status_once(&running, "the lane holds", |status| {
        let holding = status.lanes[0].holding.as_deref().unwrap_or_default();
        holding.contains(&topic)
    })
    .await;
    broker.limit(&topic, 1_000_000);
    stage.committed_once(1).await;
    let letters = stage.letters_once(1).await;
    let value: Outgoing = record_of(&Pebble::new("lost", 0), "lost");
    assert_eq!(letters[0].record.value(), value.value());
    assert_eq!(letters[0].header_text(letter::REFERENCE), None);
    running.shutdown().await;
    Verdict::Held
}

subject!(Boulder, lift, "conformance-boulder");

/// A record that is larger than a record may be is dead-lettered by a letter that names its origin, before a handler sees it.
pub async fn a_record_beyond_the_bound_is_not_handled<C: Cluster>(cluster: &C) -> Verdict {
    const MOST: usize = 10_000;
    let stage = Stage::set(cluster, "conformance-boulder", 1).await;
    let mut large = record_of(&Boulder::new("a", 0), "a-0");
    let padding = "x".repeat(MOST);
    large.set_value(format!(r#"{{"key":"a","seq":0,"padding":"{padding}"}}"#).as_bytes());
    stage.produce(large.clone()).await;
    stage.send::<Boulder>("a", 1).await;
    let service = stage.service().configure(|settings| {
        settings.record_bytes = MOST;
    });
    let running = stage.start_with(service).await;
    stage.committed_once(2).await;
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("lift"), [("a".to_owned(), 1)]);
    let told = |name| letters[0].header_text(name).unwrap_or_default();
    assert_eq!(letters[0].record.value(), Some(&b""[..]), "no tombstone");
    assert_eq!(
        (told(letter::REFERENCE), told(letter::OFFSET)),
        ("origin".into(), "0".into())
    );
    let bytes = large.value().map_or(0, <[u8]>::len);
    assert_eq!(told(letter::OMITTED), bytes.to_string());
    assert!(
        told(letter::ERROR).contains("`record_bytes`"),
        "{}",
        told(letter::ERROR)
    );
    Verdict::Held
}
