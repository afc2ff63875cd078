//! Events as records: ids, times, headers.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use events_core::{
    Emissions, Emitted, Envelope, Error, Event, Middleware, Outgoing, edge_id, time_now,
};

/// What every event of a producer carries beside its own.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) source: Arc<str>,
    pub(super) correlation_id: Option<Arc<str>>,
    pub(super) trace_parent: Option<Arc<str>>,
    pub(super) trace_state: Option<Arc<str>>,
    pub(super) headers: Arc<[(String, String)]>,
    pub(super) layers: Arc<[Arc<dyn Middleware>]>,
}

/// Buffers that events of one call share.
#[derive(Default)]
pub(super) struct Stamp {
    emissions: Emissions,
    time: String,
    millis: u128,
}

impl Stamp {
    /// The event as a record, under an id of its own or a fresh one.
    pub(super) fn record<E: Event>(
        &mut self,
        origin: &Origin,
        event: &E,
        id: Option<&str>,
    ) -> Result<Outgoing, Error> {
        self.emissions.clear();
        self.emissions.push(event)?;
        self.tick();
        // It was pushed just now.
        let emitted = self
            .emissions
            .iter()
            .next()
            .ok_or_else(|| Error::msg("the event was not encoded"))?;
        Ok(origin.record(emitted, &self.time, id))
    }

    /// Reads the clock; its text changes once in a millisecond.
    fn tick(&mut self) {
        let millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        if self.time.is_empty() || millis != self.millis {
            (self.time, self.millis) = (time_now(), millis);
        }
    }
}

impl Origin {
    pub(super) fn record(&self, event: Emitted<'_>, time: &str, id: Option<&str>) -> Outgoing {
        let mut text = [0; 36];
        let id = id.unwrap_or_else(|| edge_id().hyphenated().encode_lower(&mut text));
        let envelope = Envelope {
            id,
            source: &self.source,
            time,
            correlation_id: self.correlation_id.as_deref().unwrap_or(id),
            causation_id: None,
            hops: 0,
            trace_parent: self.trace_parent.as_deref(),
            trace_state: self.trace_state.as_deref(),
        };
        let mut record = envelope.record(event);
        for (name, value) in self.headers.iter() {
            record.add_header(name, value);
        }
        for layer in self.layers.iter() {
            layer.on_publish(event.event, &mut record);
        }
        record
    }
}
