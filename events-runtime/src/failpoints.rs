//! Named points at which the fault bench watches a process, and kills it. Without the feature `failpoints` they are nothing.

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
