//! Spans of attempts, by OpenTelemetry's messaging conventions, and their place in a trace.

use std::panic::{AssertUnwindSafe, catch_unwind};

use events_core::engine::{Panicked, causes};
use events_core::{DecodeError, Error, RecordView, Terminal, header};
use tracing::field::Empty;
use tracing::{Level, Span};

use crate::lane::context::{LaneContext, key_text};
use crate::meters::SYSTEM;
use crate::observed::TimedOut;
use crate::plan::HandlerPlan;

/// Ties the spans of attempts to a tracing system: who their parent is, and what emissions say of them.
///
/// Each attempt has a span `process <topic>` of level debug in the target `events::process`, made only when a subscriber
/// wants it. Without a propagation its emissions carry the `traceparent` of their cause; with one, that of the span.
///
/// The example `order-choreography` implements it for OpenTelemetry and exports over OTLP, behind its feature `otlp`.
pub trait Propagation: Send + Sync + 'static {
    /// Makes what the record says of its trace the parent of `span`, which has not been entered yet.
    fn continue_from(&self, span: &Span, context: &TraceContext);

    /// What emissions of the attempt in `span` say of its trace; none leaves them what their cause said.
    fn context(&self, span: &Span) -> Option<TraceContext>;
}

/// A place in a trace, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The header `traceparent`.
    pub trace_parent: String,
    /// The header `tracestate`.
    pub trace_state: Option<String>,
}

/// The span of an attempt; disabled unless somebody listens, and then it costs two loads.
pub(crate) fn process(
    lane: &LaneContext,
    handler: &HandlerPlan,
    record: &dyn RecordView,
    attempt: u32,
) -> Span {
    // Debug: most services log at info and above, and must not pay for a span of each record.
    let span = tracing::span!(
        target: "events::process",
        Level::DEBUG,
        "process",
        otel.name = format!("process {}", lane.partition.topic),
        otel.kind = "consumer",
        otel.status_code = Empty,
        "error.type" = Empty,
        messaging.system = SYSTEM,
        messaging.operation.name = "process",
        "messaging.operation.type" = "process",
        messaging.consumer.group.name = lane.group.group,
        messaging.destination.name = lane.partition.topic,
        messaging.destination.partition.id = %lane.partition.partition,
        messaging.kafka.offset = record.offset(),
        messaging.kafka.message.key = key_text(record),
        messaging.message.id = Empty,
        events.handler = handler.stable_name,
        events.attempt = attempt,
    );
    if !span.is_disabled() {
        place(&span, lane, record);
    }
    span
}

fn place(span: &Span, lane: &LaneContext, record: &dyn RecordView) {
    let (mut trace_parent, mut trace_state) = (None, None);
    let mut index = 0;
    while let Some((name, value)) = record.header(index) {
        index += 1;
        let Some(text) = value.and_then(|value| std::str::from_utf8(value).ok()) else {
            continue;
        };
        if name == header::ID.as_bytes() {
            span.record("messaging.message.id", text);
        } else if name == header::TRACE_PARENT.as_bytes() {
            trace_parent = Some(text.to_owned());
        } else if name == header::TRACE_STATE.as_bytes() {
            trace_state = Some(text.to_owned());
        }
    }
    if let (Some(propagation), Some(trace_parent)) = (&lane.group.propagation, trace_parent) {
        let context = TraceContext {
            trace_parent,
            trace_state,
        };
        guarded(|| propagation.continue_from(span, &context));
    }
}

/// What emissions of the attempt say of its trace, if the service's propagation says so.
pub(crate) fn context(lane: &LaneContext, span: &Span) -> Option<TraceContext> {
    let propagation = lane.group.propagation.as_ref()?;
    guarded(|| propagation.context(span)).flatten()
}

/// A trace is not worth a record: a propagation that panics adds nothing to it.
fn guarded<T>(hook: impl FnOnce() -> T) -> Option<T> {
    let called = catch_unwind(AssertUnwindSafe(hook));
    let log = |panic: &Error| tracing::error!(%panic, "the service's propagation panicked");
    called.map_err(Panicked::error).inspect_err(log).ok()
}

/// The attempt failed. Its text may hold what a payload holds, so it is left to the log.
pub(crate) fn failed(span: &Span, kind: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

/// What kind of error it is, where its text must not be told.
pub(crate) fn kind_of(error: &Error) -> &'static str {
    if Terminal::is_in(error) {
        "terminal"
    } else if causes(error).any(|cause| cause.is::<DecodeError>()) {
        "decode"
    } else if error.is::<TimedOut>() {
        "timeout"
    } else if error.is::<Panicked>() {
        "panic"
    } else {
        // What the conventions want where there is no name.
        "_OTHER"
    }
}
