//! What a lane keeps of its parked log is bounded whatever stands there, also what others wrote.

use std::alloc::System;

use events_core::{Outgoing, event, handler};
use events_runtime::{Service, parked_header as name};
use events_testkit::{Broker, RunningService, eventually};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TOPIC: &str = "kept.parked.kept-orders";
const TOKEN: &str = "00000000deadbeef";
const MIB: usize = 1 << 20;

#[event(topic = "kept-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "kept")]
async fn ship(_order: OrderPlaced) {}

/// A claim of the last incarnation of a group that counts: of the highest generation none comes after it.
const CLAIM: i64 = 1 << 52;

fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn fact(kind: &str, key: usize) -> Outgoing {
    let mut fact = Outgoing::new(TOPIC);
    fact.partition = Some(0);
    fact.set_key(format!("o-{key}").as_bytes());
    fact.set_value(format!(r#"{{"order_id":"o-{key}"}}"#).as_bytes());
    fact.add_header(name::FACT, kind);
    fact.add_header(name::HANDLER, "kept/ship");
    fact.add_header("ce_type", "OrderPlaced");
    fact.add_header("ce_id", format!("{key}"));
    fact
}

fn claim(generation: i64, token: &str) -> Outgoing {
    let mut fact = fact("claim", 0);
    fact.add_header(name::TOKEN, token);
    fact.add_header(name::GENERATION, generation.to_string());
    fact
}

fn parked(key: usize) -> Outgoing {
    let mut fact = fact("parked", key);
    fact.add_header(name::TOKEN, TOKEN);
    fact.add_header(name::OFFSET, key.to_string());
    fact.add_header(name::ERROR, "e".repeat(2_000));
    fact
}

fn redrive(key: usize, text: usize) -> Outgoing {
    let mut fact = fact("action", key);
    fact.add_header(name::ACTION, "redrive");
    fact.add_header(name::REDRIVE, "r".repeat(text) + &key.to_string());
    fact.add_header(name::ERROR, "e".repeat(2_000));
    fact
}

fn skip(at: i64, reason: usize) -> Outgoing {
    let mut fact = fact("action", 0);
    fact.add_header(name::ACTION, "skip-head");
    fact.add_header(name::AT, at.to_string());
    fact.add_header(name::REASON, "y".repeat(reason));
    fact.add_header(name::ACTOR, "z".repeat(reason));
    fact
}

/// Bytes that a lane keeps which has read that log and may not act, since a claim in it outranks its own.
async fn kept(parked_bytes: usize, facts: impl Iterator<Item = Outgoing>) -> usize {
    let broker = Broker::new();
    broker.auto_create(1);
    for fact in std::iter::once(claim(CLAIM, TOKEN)).chain(facts) {
        broker.produce(fact).unwrap();
    }
    broker
        .produce(claim(CLAIM | i64::from(i32::MAX), TOKEN))
        .unwrap();
    let service = Service::new("kept").configure(|settings| settings.parked_bytes = parked_bytes);
    let before = held();
    let running = broker.join(service).unwrap();
    eventually("the log is read", async || {
        let lane = running.status().await.lanes.into_iter().next();
        let holding = lane.and_then(|lane| lane.holding);
        holding.is_some_and(|holding| holding.contains("a claim of generation"))
    })
    .await;
    let kept = held().saturating_sub(before);
    eprintln!("{kept} bytes are kept");
    stop(running).await;
    kept
}

async fn stop(running: RunningService) {
    running.shutdown().await;
}

/// One test, since the allocator is the process's: a second would be counted too.
#[tokio::test(start_paused = true)]
async fn whatever_stands_in_a_parked_log_a_lane_keeps_no_more_than_its_bounds() {
    // What is made once is made by the first.
    kept(MIB, std::iter::empty()).await;
    let idle = kept(MIB, std::iter::empty()).await + MIB / 4;

    let honest = kept(64 * MIB, (0..10_000).map(parked)).await;
    assert!(honest < 10_000 * 1_400, "{honest} bytes of 10,000 records");

    // Ids of those that are refused, to tell their letters.
    let told = 3 * MIB / 2;
    let redriven = kept(MIB, (0..20_000).map(|key| redrive(key, 400))).await;
    assert!(
        redriven < 2 * MIB + told + idle,
        "{redriven} bytes of redrives"
    );

    let absurd = kept(MIB, (0..200).map(|key| redrive(key, 50_000))).await;
    assert!(absurd < idle, "{absurd} bytes of redrives with absurd ids");

    let orders = (0..500).map(parked);
    let orders = orders.chain((0..500).map(|at| skip(at + 1, 40_000)));
    let ordered = kept(MIB, orders).await;
    assert!(ordered < 500 * 2_048 + idle, "{ordered} bytes of orders");

    let claims = (0..50_000).map(|n| claim(CLAIM, &format!("{n:060}")));
    let claimed = kept(MIB, claims).await;
    assert!(claimed < idle, "{claimed} bytes of claims");
}
