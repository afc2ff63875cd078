//! Whatever headers a record has, its envelope is read, the record is routed, and its lane goes on.

#![no_main]

mod lane;
mod record;

use std::num::IntErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use events_core::{Meta, RecordView, event, handler, header};
use events_runtime::{GroupPlan, Service};
use libfuzzer_sys::fuzz_target;

use record::One;

/// What the records may be.
#[event(topic = "fuzzed", key = key, version = 2)]
pub struct Fuzzed {
    /// The key.
    pub key: String,
}

/// What handling one causes.
#[event(topic = "caused", key = key)]
pub struct Caused {
    /// The key.
    pub key: String,
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

#[handler]
async fn react(fuzzed: Fuzzed, meta: Meta) -> Caused {
    HANDLED.fetch_add(1, Ordering::Relaxed);
    check(&meta);
    Caused { key: fuzzed.key }
}

static PLAN: LazyLock<Arc<GroupPlan>> = LazyLock::new(|| {
    let mut plans = Service::new("fuzz")
        .plan()
        .expect("the service has no faults");
    plans.pop().expect("the service has a group")
});

fuzz_target!(|record: One| {
    let meta = Meta::read(&record, "Fuzzed", 1);
    check(&meta);
    check_last_counts(&meta, &record);
    check_lane(record, &meta);
});

fn check(meta: &Meta) {
    assert!(!meta.id.is_empty() && !meta.source.is_empty() && !meta.correlation_id.is_empty());
    for (name, _) in &meta.headers {
        assert!(![header::ID, header::SOURCE, header::TYPE, header::HOPS].contains(&name.as_str()));
        assert!(meta.header(name).is_some());
    }
}

/// Of duplicate headers the last one that has a value counts; one that is no text counts as absent, and a number beyond 32
/// bits as the largest.
fn check_last_counts(meta: &Meta, record: &One) {
    let last = |name| {
        record
            .last_value(name)
            .and_then(|value| std::str::from_utf8(value).ok())
            .map(str::to_owned)
    };
    let number = |name| match last(name)?.parse::<u32>() {
        Ok(number) => Some(number),
        Err(error) => (*error.kind() == IntErrorKind::PosOverflow).then_some(u32::MAX),
    };
    let or = |found: Option<String>, other: String| {
        found.filter(|text| !text.is_empty()).unwrap_or(other)
    };
    assert_eq!(
        meta.id,
        or(last(header::ID), format!("fuzzed/0/{}", record.offset()))
    );
    assert_eq!(
        meta.source,
        or(last(header::SOURCE), "kafka:fuzzed".to_owned())
    );
    assert_eq!(
        meta.correlation_id,
        or(last(header::CORRELATION_ID), meta.id.clone())
    );
    assert_eq!(meta.time, last(header::TIME));
    assert_eq!(meta.causation_id, last(header::CAUSATION_ID));
    assert_eq!(meta.hops, number(header::HOPS).unwrap_or(0));
    assert_eq!(meta.version, number(header::EVENT_VERSION).unwrap_or(1));
}

/// The record ends as handled, skipped or dead-lettered, and its offset is done.
fn check_lane(record: One, meta: &Meta) {
    let offset = record.offset();
    let wanted = record.last_value(header::TYPE) == Some(b"Fuzzed") && record.value().is_some();
    let before = HANDLED.load(Ordering::Relaxed);
    let (revoked, published) = lane::run(&PLAN, record);
    let handled = HANDLED.load(Ordering::Relaxed) - before;
    assert!(revoked.report.drained, "the lane is stuck");
    let [(_, position)] = &revoked.positions[..] else {
        panic!("a lane has one position");
    };
    let to = |topic| {
        published
            .iter()
            .filter(|record| record.topic == topic)
            .count()
    };
    assert_eq!(position.watermark, offset + 1, "its offset is done");
    if wanted {
        assert!(handled <= 1);
        assert!(
            matches!((to("caused"), to("fuzz.dead-letters")), (1, 0) | (0, 1 | 2)),
            "it has exactly one ending, and a refused emission stands beside its record"
        );
    } else {
        assert!(
            published.is_empty() && handled == 0,
            "it went to a handler that does not want it"
        );
    }
    assert_eq!(position.metadata, "");
    for record in published.iter() {
        if record.topic == "caused" {
            let cause = record.header(header::CAUSATION_ID);
            assert_eq!(cause, Some(meta.id.as_bytes()), "the cause has one name");
        }
        assert!(
            record.headers().all(|(_, value)| value.is_some()),
            "other clients refuse null headers"
        );
    }
}
