//! Whatever headers a record has, and however many, it costs bounded time and memory: `cargo xtask test` gives each input
//! a limit of both.

#![no_main]

mod lane;
mod record;

use std::sync::{Arc, LazyLock};

use events_core::{Meta, RecordView, event, handler};
use events_runtime::{GroupPlan, Service, Settings};
use libfuzzer_sys::fuzz_target;

use record::One;

/// What the records may be.
#[event(topic = "fuzzed", key = key)]
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

#[handler]
async fn react(fuzzed: Fuzzed, meta: Meta) -> Caused {
    assert!(meta.headers.len() <= Settings::default().record_headers);
    Caused { key: fuzzed.key }
}

static PLAN: LazyLock<Arc<GroupPlan>> = LazyLock::new(|| {
    let mut plans = Service::new("fuzz")
        .plan()
        .expect("the service has no faults");
    plans.pop().expect("the service has a group")
});

/// As many headers as the client of Kafka reads.
const MOST: usize = 100_000;
/// Headers that a dead letter has beside those of its record.
const OF_LETTER: usize = 16;

fuzz_target!(|input: (One, u32)| {
    let (record, times) = input;
    let headers = (0..).map_while(|index| record.header(index)).count();
    let times = times as usize % (MOST / headers.max(1) + 1);
    let record = record.repeated(times);
    let payload = record.key().map_or(0, <[u8]>::len) + record.value().map_or(0, <[u8]>::len);
    let (revoked, published) = lane::run(&PLAN, record);
    assert!(revoked.report.drained, "the lane is stuck");
    let settings = Settings::default();
    for record in published {
        assert!(record.headers().len() <= settings.record_headers + OF_LETTER);
        // The error's text is cut to 16 KiB.
        assert!(record.size() <= payload + settings.record_header_bytes + 64 * 1024);
    }
});
