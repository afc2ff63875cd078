//! Events as a producer at the edge publishes them.

use std::sync::atomic::{AtomicU64, Ordering};

use events_core::{Emissions, Envelope, Event, Outgoing, Result, time_now};

/// A source outside all services. Its ids count up, so that two runs of a test see the same ones.
#[derive(Debug)]
pub(crate) struct Edge {
    source: String,
    next: AtomicU64,
}

impl Edge {
    pub(crate) fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            next: AtomicU64::new(1),
        }
    }

    /// The record of an event with an id of its own: `<source>-<number>`.
    pub(crate) fn record<E: Event>(&self, event: &E) -> Result<Outgoing> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        record(event, &self.source, &format!("{}-{number}", self.source))
    }
}

/// The record of an event as the source `source` publishes it under `id`.
pub(crate) fn record<E: Event>(event: &E, source: &str, id: &str) -> Result<Outgoing> {
    let mut emissions = Emissions::new();
    emissions.push(event)?;
    let envelope = Envelope {
        id,
        source,
        time: &time_now(),
        correlation_id: id,
        causation_id: None,
        hops: 0,
        trace_parent: None,
        trace_state: None,
    };
    let mut events = emissions.iter();
    // One event was pushed just now.
    Ok(envelope.record(events.next().expect("there is the event that was pushed")))
}
