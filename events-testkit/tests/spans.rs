//! Spans of attempts, and the trace context of what they emit.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use events_core::{Codec as _, Outgoing, Result, event, handler};
use events_runtime::{Propagation, TraceContext};
use events_testkit::{Harness, Outcome};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Span, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

#[event(topic = "span-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[event(topic = "span-parcels", key = order_id)]
struct ParcelSent {
    order_id: String,
}

#[handler(service = "spans")]
async fn ship(order: OrderPlaced) -> Result<ParcelSent> {
    tracing::info!("packing");
    anyhow::ensure!(order.order_id != "o-bad", "no stock");
    Ok(ParcelSent {
        order_id: order.order_id,
    })
}

/// Fields of spans by their id, and the spans that log lines came from.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Found>>);

#[derive(Default)]
struct Found {
    spans: BTreeMap<u64, BTreeMap<String, String>>,
    packed_in: Vec<Option<u64>>,
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}").trim_matches('"').to_owned();
        self.0.insert(field.name().to_owned(), text);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().target() == "events::process" {
            let mut found = self.0.lock().unwrap();
            attributes.record(&mut Fields(found.spans.entry(id.into_u64()).or_default()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(span) = self.0.lock().unwrap().spans.get_mut(&id.into_u64()) {
            values.record(&mut Fields(span));
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if event.metadata().target().starts_with("spans") {
            let current = context.current_span().id().map(Id::into_u64);
            self.0.lock().unwrap().packed_in.push(current);
        }
    }
}

const CAUSE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OWN: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

/// A tracing system in which every span is the same child.
#[derive(Clone, Default)]
struct OneChild(Arc<Mutex<Vec<TraceContext>>>);

impl Propagation for OneChild {
    fn continue_from(&self, span: &Span, context: &TraceContext) {
        assert!(!span.is_disabled());
        self.0.lock().unwrap().push(context.clone());
    }

    fn context(&self, _: &Span) -> Option<TraceContext> {
        Some(TraceContext {
            trace_parent: OWN.to_owned(),
            trace_state: None,
        })
    }
}

/// A tracing system that cannot be had.
struct Broken;

impl Propagation for Broken {
    fn continue_from(&self, _: &Span, _: &TraceContext) {
        panic!("no parent")
    }

    fn context(&self, _: &Span) -> Option<TraceContext> {
        panic!("no context")
    }
}

async fn outcome(order_id: &str, propagation: impl Propagation) -> Outcome {
    let order = OrderPlaced {
        order_id: order_id.to_owned(),
    };
    let mut record = Outgoing::new("span-orders");
    record.set_key(order_id.as_bytes());
    let mut value = Vec::new();
    events_core::Json::encode(&order, &mut value).unwrap();
    record.set_value(&value);
    for (name, value) in [
        ("ce_type", "OrderPlaced"),
        ("ce_id", "id-1"),
        ("ce_source", "edge"),
        ("traceparent", CAUSE),
        ("tracestate", "vendor=1"),
    ] {
        record.add_header(name, value);
    }
    let harness = Harness::for_service("spans").given_record(record);
    harness.propagation(propagation).run().await
}

/// Part of the test below: whether anybody listens is kept for the whole process.
async fn nobody_listens_and_the_cause_s_context_is_carried() {
    let propagation = OneChild::default();
    let outcome = outcome("o-1", propagation.clone()).await;
    let parcel = &outcome.emitted()[0];
    assert_eq!(parcel.header_text("traceparent").as_deref(), Some(CAUSE));
    assert_eq!(
        parcel.header_text("tracestate").as_deref(),
        Some("vendor=1")
    );
    assert!(propagation.0.lock().unwrap().is_empty());
}

/// Another part of it.
async fn a_propagation_that_panics_costs_no_record() {
    let subscriber = tracing_subscriber::registry().with(Seen::default());
    let guard = tracing::subscriber::set_default(subscriber);
    let outcome = outcome("o-1", Broken).await;
    drop(guard);
    let parcel = &outcome.emitted()[0];
    assert_eq!(parcel.header_text("traceparent").as_deref(), Some(CAUSE));
}

#[tokio::test(start_paused = true)]
async fn attempts_have_spans_and_what_they_emit_is_their_child() {
    nobody_listens_and_the_cause_s_context_is_carried().await;
    a_propagation_that_panics_costs_no_record().await;
    let seen = Seen::default();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let propagation = OneChild::default();
    let good = outcome("o-1", propagation.clone()).await;
    let bad = outcome("o-bad", propagation.clone()).await;
    drop(guard);
    let parcel = &good.emitted()[0];
    assert_eq!(parcel.header_text("traceparent").as_deref(), Some(OWN));
    assert_eq!(parcel.header_text("tracestate"), None);
    assert_eq!(bad.dead_letters().len(), 1);

    let parents = propagation.0.lock().unwrap();
    assert!(parents.iter().all(|parent| parent.trace_parent == CAUSE));
    assert_eq!(parents[0].trace_state.as_deref(), Some("vendor=1"));

    let found = seen.0.lock().unwrap();
    let spans: Vec<_> = found.spans.values().collect();
    // One for each attempt: the first record took one, the other all that there are.
    assert!(spans.len() > 2, "{spans:?}");
    for (field, value) in [
        ("otel.name", "process span-orders"),
        ("otel.kind", "consumer"),
        ("messaging.system", "kafka"),
        ("messaging.operation.name", "process"),
        ("messaging.consumer.group.name", "spans"),
        ("messaging.destination.name", "span-orders"),
        ("messaging.kafka.offset", "0"),
        ("messaging.kafka.message.key", "o-1"),
        ("messaging.message.id", "id-1"),
        ("events.handler", "spans/ship"),
        ("events.attempt", "1"),
    ] {
        assert_eq!(
            spans[0].get(field).map(String::as_str),
            Some(value),
            "{field}: {:?}",
            spans[0]
        );
    }
    assert!(!spans[0].contains_key("otel.status_code"));
    let failed: Vec<_> = spans
        .iter()
        .filter(|span| span.contains_key("otel.status_code"))
        .collect();
    assert_eq!(failed.len(), spans.len() - 1);
    assert_eq!(failed[0]["error.type"], "_OTHER");
    // What a handler logs belongs to its attempt.
    assert!(
        found.packed_in.iter().all(Option::is_some),
        "{:?}",
        found.packed_in
    );
    assert_eq!(found.packed_in.len(), spans.len());
}
