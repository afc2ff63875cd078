//! The offset map of lanes with several handlers and types (D3).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{
    Error, Meta, OneOf, Result, Retry, State, Terminal, event, handler, stable_hash,
};
use events_runtime::offset_map::{MAX_METADATA, OffsetMap};
use events_runtime::{Position, Service, TopicPartition};

use super::log::{Entry, Member, at};

const TOPIC: &str = "mapped";

#[event(topic = "mapped", key = key)]
struct Alpha {
    key: String,
}

#[event(topic = "mapped", key = key)]
struct Beta {
    key: String,
}

#[event(topic = "mapped", key = key)]
struct Gamma {
    key: String,
}

#[derive(OneOf)]
enum Either {
    Alpha(Alpha),
    Beta(Beta),
}

/// What was begun and done, by handler and offset; keys that begin with `wait` wait for another attempt, those with `bad`
/// are given up.
#[derive(Default)]
struct Seen {
    begun: Mutex<Vec<(&'static str, i64)>>,
    done: Mutex<BTreeSet<(&'static str, i64)>>,
}

impl Seen {
    async fn attempt(&self, handler: &'static str, key: &str, offset: i64) -> Result<()> {
        self.begun.lock().unwrap().push((handler, offset));
        let error = Error::msg("it fails");
        if key.starts_with("wait") {
            // An attempt that does not end would hold up other keys of its slot.
            return Err(error);
        }
        if key.starts_with("bad") {
            return Err(Terminal::new(error).into());
        }
        self.done.lock().unwrap().insert((handler, offset));
        Ok(())
    }
}

#[handler(service = "mapped")]
async fn first(alpha: Alpha, meta: Meta, seen: State<Seen>) -> Result<()> {
    seen.attempt("first", &alpha.key, meta.offset).await
}

#[handler(service = "mapped")]
async fn second(alpha: Alpha, meta: Meta, seen: State<Seen>) -> Result<()> {
    seen.attempt("second", &alpha.key, meta.offset).await
}

#[handler(service = "mapped")]
async fn third(beta: Beta, meta: Meta, seen: State<Seen>) -> Result<()> {
    seen.attempt("third", &beta.key, meta.offset).await
}

#[handler(service = "mapped")]
async fn fourth(either: Either, meta: Meta, seen: State<Seen>) -> Result<()> {
    let key = match &either {
        Either::Alpha(alpha) => &alpha.key,
        Either::Beta(beta) => &beta.key,
    };
    seen.attempt("fourth", key, meta.offset).await
}

/// Numbers that a seed repeats (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

const HANDLERS: [&str; 4] = ["first", "second", "third", "fourth"];

fn takes(handler: &str, kind: &str) -> bool {
    match handler {
        "first" | "second" => kind == "Alpha",
        "third" => kind == "Beta",
        _ => kind == "Alpha" || kind == "Beta",
    }
}

fn member(seen: &Arc<Seen>, from: &Position) -> Member {
    let service = Service::new("mapped")
        .shared_state(Arc::clone(seen))
        .configure(|settings| {
            settings.retry = Retry {
                min: Duration::from_secs(24 * 3600),
                max: Duration::from_secs(24 * 3600),
                ..Retry::DEFAULT
            };
            settings.breaker_keys = 0;
            settings.lane_held = settings.lane_records;
        });
    Member::start(service, TOPIC, from)
}

fn entry(offset: i64, kind: &str, key: &str) -> Entry {
    Entry::new(TOPIC, offset, kind, key)
}

fn done(position: &Position, handler: &str, offset: i64) -> bool {
    let map = OffsetMap::decode(position.watermark, &position.metadata);
    offset < position.watermark || map.is_done(stable_hash(&format!("mapped/{handler}")), offset)
}

/// Records that only others take neither cut a handler's runs nor extend them.
#[tokio::test(start_paused = true)]
async fn a_backlog_of_one_handler_does_not_fill_the_map_with_the_runs_of_others() {
    let seen = Arc::new(Seen::default());
    let member = member(&seen, &at(0));
    assert!(member.group().pause("third"));
    member.log.push([entry(0, "Alpha", "wait")]);
    for step in 1..2_000 {
        let kind = if step % 2 == 0 { "Alpha" } else { "Beta" };
        member
            .log
            .push([entry(step, kind, &format!("k{}", step % 50))]);
    }
    member
        .log
        .push([entry(2_000, "Gamma", "k"), entry(2_001, "Beta", "k")]);
    let position = member.settled().await;
    assert_eq!(position.watermark, 0);
    for handler in ["first", "second"] {
        assert!(done(&position, handler, 2) && done(&position, handler, 1_998));
        assert!(!done(&position, handler, 0) && !done(&position, handler, 1_999));
    }
    assert!(done(&position, "fourth", 2_001) && !done(&position, "third", 2_001));
    assert!(position.metadata.len() < 100, "{position:?}");
}

/// Whatever ends in whatever order, the map is whole, and what it says is what was done. After it another member runs again
/// only what was not done.
#[tokio::test(start_paused = true)]
async fn the_map_holds_for_any_interleaving_of_handlers_types_and_gaps() {
    let mut at_bound = 0;
    for seed in 0..12 {
        let mut random = Random(seed);
        let seen = Arc::new(Seen::default());
        let first = member(&seen, &at(0));
        for handler in HANDLERS {
            if random.below(4) == 0 {
                first.group().pause(handler);
            }
        }
        // How often a record waits for ever or is tried again and again, and how many offsets are left out.
        let (waits, fails) = (1 + random.below(40), 1 + random.below(200));
        let gap = [1, 2, 100, 100_000][random.below(4) as usize];
        let mut log = vec![entry(0, "Alpha", "wait")];
        let (mut offset, mut records) = (0, vec![(0, "Alpha", "wait".to_owned())]);
        for step in 0..100 + random.below(3_400) as i64 {
            offset += 1 + random.below(gap) as i64;
            let kind = ["Alpha", "Alpha", "Beta", "Beta", "Gamma"][random.below(5) as usize];
            let key = match (random.below(waits), random.below(fails)) {
                (0, _) => format!("wait {}", step % 997),
                (_, 0) => format!("bad {}", step % 13),
                _ => format!("key {}", step % 89),
            };
            log.push(entry(offset, kind, &key));
            records.push((offset, kind, key));
        }
        first.log.push(log.clone());
        let position = first.settled().await;
        let lane = first.lane();
        assert_eq!(lane.unhealthy, None, "seed {seed}");
        assert_eq!(lane.shortened_maps, 0, "seed {seed}: {lane:?}");
        assert!(position.metadata.len() <= MAX_METADATA);
        at_bound += u32::from(lane.holding.is_some());
        let known: BTreeSet<_> = seen.done.lock().unwrap().clone();
        for (offset, kind, key) in &records {
            for handler in HANDLERS.iter().filter(|handler| takes(handler, kind)) {
                let said = done(&position, handler, *offset);
                let did = known.contains(&(*handler, *offset));
                // What fails is given up in the end.
                let right = said == did || (said && key.starts_with("bad"));
                assert!(
                    right,
                    "seed {seed}: {handler}, offset {offset}, {key}: did {did}"
                );
            }
        }
        first.group().abort();
        seen.begun.lock().unwrap().clear();
        let next = member(&seen, &position);
        let from = records.partition_point(|(offset, ..)| *offset < position.watermark);
        next.log.push(log[from..].iter().cloned());
        next.settled().await;
        let begun = seen.begun.lock().unwrap().clone();
        let again: Vec<_> = begun.iter().filter(|run| known.contains(*run)).collect();
        assert!(again.is_empty(), "seed {seed}: {again:?}");
    }
    assert!(at_bound > 1, "the bound was met {at_bound} times");
}

/// One record of two waits, and between two offsets lie many: the map's bound keeps the lane from reading on, but not for
/// ever. The watermark is committed with as much of the map as fits, and that is counted.
#[tokio::test(start_paused = true)]
async fn a_full_map_does_not_stop_a_lane_for_ever() {
    const COUNT: i64 = 3_000;
    let seen = Arc::new(Seen::default());
    let member = member(&seen, &at(0));
    for step in 0..COUNT {
        let key = if step % 2 == 0 { "wait" } else { "key" };
        member
            .log
            .push([entry(100 * step, "Beta", &format!("{key} {step}"))]);
    }
    let position = member.settled().await;
    let lane = member.lane();
    assert!(
        lane.received < COUNT as u64 / 2 && lane.holding.is_some(),
        "{lane:?}"
    );
    assert_eq!(lane.shortened_maps, 0);
    let before = position.metadata.len();
    let mut position = position;
    for _ in 0..5 {
        position = member.settled().await;
    }
    let lane = member.lane();
    assert_eq!(lane.received, COUNT as u64);
    assert!(lane.shortened_maps > 0);
    assert_eq!(position.watermark, 0);
    assert!((before / 2..=MAX_METADATA).contains(&position.metadata.len()));
    assert!(done(&position, "third", 100) && !done(&position, "third", 100 * COUNT - 100));
}

/// A gap makes a bitmap of what lies before it too long. What was taken together with it waits, so that the map stays whole.
#[tokio::test(start_paused = true)]
async fn records_behind_a_gap_wait_until_the_map_has_room() {
    const GAP: i64 = 1_000_000;
    let seen = Arc::new(Seen::default());
    let member = member(&seen, &at(0));
    for step in 0..3_800 {
        let key = if step % 2 == 0 { "wait" } else { "key" };
        member
            .log
            .push([entry(step, "Beta", &format!("{key} {step}"))]);
    }
    member
        .log
        .push((GAP..GAP + 30).map(|offset| entry(offset, "Beta", "key")));
    let position = member.settled().await;
    let lane = member.lane();
    assert!(
        lane.holding.is_some() && lane.shortened_maps == 0,
        "{lane:?}"
    );
    let known = seen.done.lock().unwrap().clone();
    assert!(known.len() > 2_000 && known.iter().all(|(_, offset)| *offset < GAP));
    assert!(
        known
            .iter()
            .all(|(handler, offset)| done(&position, handler, *offset))
    );
    for _ in 0..5 {
        member.settled().await;
    }
    let begun = seen.begun.lock().unwrap();
    assert!(
        begun.iter().any(|(_, offset)| *offset >= GAP),
        "not for ever"
    );
}

/// What a broker refuses as too long is committed shorter, and the watermark in any case (D3).
#[tokio::test(start_paused = true)]
async fn a_map_that_the_broker_refuses_is_handed_out_shorter() {
    let seen = Arc::new(Seen::default());
    let member = member(&seen, &at(0));
    for step in 0..2_400 {
        let key = if step % 5 == 0 { "wait" } else { "key" };
        member
            .log
            .push([entry(step, "Beta", &format!("{key} {step}"))]);
    }
    let position = member.settled().await;
    assert!(position.metadata.len() > 300, "{position:?}");
    let partition = TopicPartition::new(TOPIC, 0);
    let mut most = position.metadata.len();
    while most > 0 {
        most = member.group().refuse_metadata(&partition, most);
        let shorter = member.settled().await;
        assert!(shorter.metadata.len() <= most, "{shorter:?}");
        assert_eq!(shorter.watermark, 0);
        assert_eq!(done(&shorter, "third", 1), most > 20, "{shorter:?}");
    }
    assert!(member.lane().shortened_maps >= 8);
    // What is done below the watermark needs no map.
    let next = self::member(&seen, &at(0));
    next.group().refuse_metadata(&partition, 1);
    next.log
        .push((0..10).map(|offset| entry(offset, "Beta", "key")));
    assert_eq!(next.settled().await.watermark, 10);
    assert_eq!(next.lane().shortened_maps, 0);
}
