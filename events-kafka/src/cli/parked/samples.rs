//! Facts for tests.

use super::names;
use crate::cli::letters::samples::Sample;

fn fact(offset: i64, kind: &str) -> Sample {
    Sample::new("shipping.parked.orders", 3, offset).with(names::FACT, kind)
}

pub(super) fn claim(offset: i64, generation: i64, token: &str) -> Sample {
    fact(offset, "claim")
        .with(names::TOKEN, token)
        .with(names::GENERATION, generation.to_string())
}

fn record(sample: Sample, key: &str, origin: i64) -> Sample {
    let mut sample = sample
        .keyed(key)
        .with(names::HANDLER, "shipping/ship")
        .with(names::TOPIC, "orders")
        .with(names::PARTITION, "3")
        .with(names::OFFSET, origin.to_string())
        .with(names::ATTEMPTS, "5")
        .with(names::NEXT, "61000")
        .with(names::SINCE, "1000")
        .with(
            names::ERROR,
            "order o-17 has no address\ncaused by: not found",
        )
        .with("ce_type", "OrderPlaced");
    sample.value = Some(br#"{"order_id":"o-1"}"#.to_vec());
    sample
}

pub(super) fn parked(offset: i64, token: &str, key: &str, origin: i64) -> Sample {
    record(
        fact(offset, "parked").with(names::TOKEN, token),
        key,
        origin,
    )
}

pub(super) fn redrive(offset: i64, key: &str, letter: &str) -> Sample {
    let sample = fact(offset, "action")
        .with(names::ACTION, "redrive")
        .with(names::REDRIVE, letter);
    record(sample, key, 41)
}

pub(super) fn failed(offset: i64, token: &str, at: i64, attempts: u32) -> Sample {
    fact(offset, "failed")
        .with(names::TOKEN, token)
        .with(names::AT, at.to_string())
        .with(names::ATTEMPTS, attempts.to_string())
        .with(names::NEXT, "900")
        .with(names::ERROR, "no stock")
}

pub(super) fn done(offset: i64, token: &str, at: i64) -> Sample {
    fact(offset, "done")
        .with(names::TOKEN, token)
        .with(names::AT, at.to_string())
}

pub(super) fn take_over(offset: i64, token: &str) -> Sample {
    fact(offset, "action")
        .with(names::ACTION, "take-over")
        .with(names::TOKEN, token)
}

pub(super) fn action(offset: i64, what: &str, at: i64) -> Sample {
    fact(offset, "action")
        .with(names::ACTION, what)
        .with(names::AT, at.to_string())
        .with(names::ACTOR, "ann")
        .with(names::REASON, "address added")
}
