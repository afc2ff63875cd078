//! Names of headers that dead letters are read by: ours beside those of the record, Spring Kafka's, Kafka Connect's.

pub(super) use events_runtime::dead_letter_header::*;

use crate::cli::audit::AuditHeaders;

/// What a resolution says in `FACT`.
pub(super) const RESOLVED: &str = "resolution";

/// Who resolved a letter, why and when.
pub(super) const AUDIT: AuditHeaders = AuditHeaders {
    actor: ACTOR,
    reason: REASON,
    time: TIME,
};

/// What our headers begin with.
pub(super) const OURS: &[u8] = b"dl_";
/// What the headers of parked records begin with.
pub(super) const PARKED: &[u8] = b"pk_";
/// What Spring Kafka's begin with; its numbers are big-endian binary.
pub(super) const SPRING: &[u8] = b"kafka_dlt-";
/// What Kafka Connect's begin with; its numbers are text.
pub(super) const CONNECT: &[u8] = b"__connect.errors.";
