//! A record between the outbox and the broker's acknowledgement, and what it takes meanwhile.

use std::sync::Arc;

use events_core::Outgoing;

use crate::work::Kind;

/// A record on its way to the broker.
pub(super) struct Sending {
    pub(super) record: Arc<Outgoing>,
    /// Its place among the batches; [`Kind::Fact`] has none.
    pub(super) batch: usize,
    pub(super) kind: Kind,
    /// It was sent with nothing beside it: what is refused then for its size is too large itself.
    pub(super) alone: bool,
    /// The whole dead letter, while one that names its record's origin goes out instead.
    pub(super) whole: Option<Arc<Outgoing>>,
}

/// What a client keeps of each header until the broker has acknowledged its record, beside name and value.
const SENT_HEADER: usize = 64;

/// Bytes that a record takes until the broker has acknowledged it: a client copies all but the value.
pub(super) fn cost(record: &Outgoing) -> usize {
    let value = record.value().map_or(0, <[u8]>::len);
    record.footprint() + record.size() - value + record.headers().len() * SENT_HEADER
}
