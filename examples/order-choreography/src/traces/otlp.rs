//! Spans of a flow as one trace: the front's, and those of every attempt that followed from it, sent over OTLP.
//!
//! The exporter and the SDK read OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT` (`http://localhost:4318`),
//! `OTEL_TRACES_SAMPLER`, `OTEL_BSP_MAX_QUEUE_SIZE` (2,048 spans: what comes faster than it can be sent is not traced), …

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context as _, Result};
use events_kafka::{Producer, Propagation, Runtime, TraceContext};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

const NAME: &str = env!("CARGO_PKG_NAME");
const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

/// Sends spans on a thread of its own.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    pub(crate) fn new() -> Result<Self> {
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.context("cannot export spans over OTLP")?;
        // Each span says which service's it is (`messaging.consumer.group.name`): all of them may share this process.
        let resource = Resource::builder().with_service_name(NAME).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource);
        Ok(Self(provider.build()))
    }

    /// Makes spans of the attempts and of the front, and of nothing that the client or the exporter do.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let spans = Targets::new()
            .with_target("events::process", Level::DEBUG)
            .with_target("order_choreography", Level::DEBUG);
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(NAME));
        layer.with_filter(spans)
    }

    /// Sends what is left.
    pub(crate) fn finish(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "spans were not sent");
        }
    }
}

/// The service with its attempts in the traces of their records.
pub(crate) fn of_service(service: Runtime) -> Runtime {
    service.propagation(W3c::default())
}

/// The same producer, whose events follow from `span`.
pub(crate) fn within<'a>(span: &Span, producer: &'a Producer) -> Cow<'a, Producer> {
    W3c::default().context(span).map_or(
        Cow::Borrowed(producer),
        |TraceContext {
             trace_parent,
             trace_state,
         }| Cow::Owned(producer.traced(trace_parent, trace_state.as_deref())),
    )
}

/// Trace contexts as W3C writes them, between headers and OpenTelemetry's spans.
#[derive(Debug, Default)]
struct W3c(TraceContextPropagator);

impl Propagation for W3c {
    fn continue_from(&self, span: &Span, context: &TraceContext) {
        let mut fields = HashMap::from([(TRACE_PARENT.to_owned(), context.trace_parent.clone())]);
        if let Some(state) = &context.trace_state {
            fields.insert(TRACE_STATE.to_owned(), state.clone());
        }
        // A span that the layer does not see has no place in a trace.
        let _ = span.set_parent(self.0.extract(&fields));
    }

    fn context(&self, span: &Span) -> Option<TraceContext> {
        let mut fields = HashMap::new();
        self.0.inject_context(&span.context(), &mut fields);
        Some(TraceContext {
            trace_parent: fields.remove(TRACE_PARENT)?,
            trace_state: fields.remove(TRACE_STATE).filter(|state| !state.is_empty()),
        })
    }
}
