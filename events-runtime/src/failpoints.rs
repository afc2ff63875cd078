//! Named points at which the fault bench watches a process, and kills it. Without the feature `failpoints` they are nothing.

use events_core::Outgoing;

use crate::parking::fact::parked_header;
use crate::transport::TopicPartition;

/// What a point calls: its name, the partition, and the offset, watermark or epoch that it is about.
pub type Hook = fn(point: &'static str, partition: &TopicPartition, number: i64);

/// Whether points call anything.
pub const ENABLED: bool = cfg!(feature = "failpoints");

#[cfg(feature = "failpoints")]
static HOOK: std::sync::OnceLock<Hook> = std::sync::OnceLock::new();

/// Sets what every point of this process calls, once.
#[cfg(feature = "failpoints")]
pub fn install(hook: Hook) {
    // A second hook would hide a kill that the first one is for.
    assert!(HOOK.set(hook).is_ok(), "the failpoints have a hook already");
}

/// A point is reached.
#[inline(always)]
pub fn reached(point: &'static str, partition: &TopicPartition, number: i64) {
    #[cfg(feature = "failpoints")]
    if let Some(hook) = HOOK.get() {
        hook(point, partition, number);
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = (point, partition, number);
}

/// The points around sending a fact, by what it says: only `done` lets a parked record go. What says nothing of the parked
/// log says what became of a dead letter.
pub(crate) fn around(fact: &Outgoing) -> (&'static str, &'static str) {
    let says = match ENABLED {
        true => fact.header(parked_header::FACT),
        false => None,
    };
    match says {
        Some(b"claim") => ("claim-before", "claim-after"),
        Some(b"failed") => ("failed-before", "failed-after"),
        Some(b"done") => ("unpark-before", "unpark-after"),
        _ => ("resolve-before", "resolve-after"),
    }
}
