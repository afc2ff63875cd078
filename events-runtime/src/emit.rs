//! From an attempt's encoded events to records with stable ids.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use events_core::engine::Panicked;
use events_core::{
    EmissionIdentity, Emissions, Envelope, Error, EventDescriptor, Outgoing, RecordView, time_now,
};

use crate::cause::{Cause, EmitBuffers};
use crate::lane::context::LaneContext;
use crate::plan::HandlerPlan;
use crate::spans::TraceContext;
use crate::work::Records;

/// Why emissions are not published.
#[derive(Debug)]
pub(crate) enum Withheld {
    /// They never will be.
    Refused(Refusal),
    /// A layer panicked over one of them: an error of the attempt.
    Failed(Error),
}

/// Emissions that will not be published; the record is dead-lettered instead, with them.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) refused: Vec<Arc<Outgoing>>,
}

/// Characters of a UUID in its hyphenated form.
const UUID_TEXT: usize = 36;

/// Reused buffers.
#[derive(Debug, Default)]
pub(crate) struct EmitScratch {
    bytes: Vec<u8>,
    time: String,
    /// What the emissions say of their place in a trace, if it is not what their cause said.
    pub(crate) trace: Option<TraceContext>,
}

impl EmitScratch {
    /// The next emission asks the clock again.
    pub(crate) fn forget_time(&mut self) {
        self.time.clear();
    }
}

/// Lays out the records of one attempt, in the order in which they were emitted. `buffers` holds the cause, if it was copied
/// when the record was routed.
pub(crate) fn records(
    lane: &LaneContext,
    handler: &HandlerPlan,
    record: &dyn RecordView,
    mut buffers: Option<&mut EmitBuffers>,
    emissions: &Emissions,
    scratch: &mut EmitScratch,
) -> Result<Records, Withheld> {
    let mut spare = buffers.as_mut().and_then(|buffers| buffers.take_record());
    let mut cause = match buffers {
        Some(buffers) => buffers.cause(),
        None => Cause::read(record),
    };
    if let Some(trace) = &scratch.trace {
        cause.trace_parent = Some(&trace.trace_parent);
        cause.trace_state = trace.trace_state.as_deref();
    }
    if scratch.time.is_empty() {
        scratch.time = time_now();
    }
    let hops = cause.hops.saturating_add(1);
    let mut records = Records::with_capacity(emissions.len());
    let mut ordinals: HashMap<(&str, Option<&str>), u32> = HashMap::new();
    let mut too_large = None;
    for event in emissions.iter() {
        // One event, by far the commonest case, needs no map.
        let ordinal = if emissions.len() == 1 {
            0
        } else {
            let next = ordinals.entry((event.event.name, event.key)).or_default();
            *next += 1;
            *next - 1
        };
        let identity = EmissionIdentity {
            cause_source: &cause.source,
            cause_id: &cause.id,
            handler: &handler.stable_name,
            event: event.event.name,
            key: event.key,
            ordinal,
        };
        let mut id = [0; UUID_TEXT];
        let envelope = Envelope {
            id: identity
                .id(&mut scratch.bytes)
                .hyphenated()
                .encode_lower(&mut id),
            source: lane.group.service.service(),
            time: &scratch.time,
            correlation_id: cause.correlation_id.unwrap_or(&cause.id),
            causation_id: Some(&cause.id),
            hops,
            trace_parent: cause.trace_parent,
            trace_state: cause.trace_state,
        };
        let mut outgoing = spare.take().unwrap_or_else(|| Arc::new(Outgoing::new("")));
        // Nothing else refers to it, so this copies nothing.
        let record = Arc::make_mut(&mut outgoing);
        envelope.write(event, record);
        if !lane.group.layers.is_empty() {
            dress(lane, event.event, record).map_err(Withheld::Failed)?;
        }
        if outgoing.size() > lane.publish.max_record_bytes() {
            too_large = Some((event.event.name, outgoing.size()));
        }
        records.push(outgoing);
    }
    let reason = if let Some((name, size)) = too_large {
        let limit = lane.publish.max_record_bytes();
        format!(
            "the emission {name} has {size} bytes, more than the {limit} that can be published: raise `message.max.bytes`, or publish a reference"
        )
    } else if hops > lane.group.settings.hop_limit && !records.is_empty() {
        hop_reason(lane, handler, hops)
    } else {
        return Ok(records);
    };
    Err(Withheld::Refused(Refusal {
        reason,
        refused: records.into_iter().collect(),
    }))
}

/// Lets the layers add to a record. What they do to it is code of users, which must not end the lane.
fn dress(lane: &LaneContext, event: &EventDescriptor, record: &mut Outgoing) -> Result<(), Error> {
    let layers = lane.group.layers.iter();
    let hooks = || layers.for_each(|layer| layer.on_publish(event, record));
    catch_unwind(AssertUnwindSafe(hooks))
        .map_err(|panic| Panicked::error(panic).context("a layer's `on_publish`"))
}

fn hop_reason(lane: &LaneContext, handler: &HandlerPlan, hops: u32) -> String {
    let limit = lane.group.settings.hop_limit;
    let through = lane
        .group
        .cycles
        .iter()
        .filter(|cycle| cycle.contains(handler.descriptor.name));
    let path: Vec<_> = through.map(String::as_str).collect();
    let path = if path.is_empty() {
        let takes: Vec<_> = handler
            .descriptor
            .takes()
            .iter()
            .map(|event| event.name)
            .collect();
        let emits: Vec<_> = handler
            .descriptor
            .emits()
            .iter()
            .map(|event| event.name)
            .collect();
        format!(
            "… → {} → {} → {} → …",
            takes.join(" | "),
            handler.stable_name,
            emits.join(" | ")
        )
    } else {
        path.join("; ")
    };
    format!(
        "the flow has {hops} hops, more than the limit of {limit}: events go round in a circle, {path}"
    )
}
