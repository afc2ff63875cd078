//! What a collector gets: each order's way through the services as one trace.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

const ORDERS: usize = 50;

/// What a collector was sent.
type Received = Arc<Mutex<Vec<Span>>>;

/// Takes spans as a collector does, until the test ends; answers where.
async fn collector(received: Received) -> String {
    let take = move |body: Bytes| async move {
        let request = ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf");
        let scopes = request.resource_spans.into_iter();
        let scopes = scopes.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        received.lock().expect("no panic before").extend(spans);
        let answer = ExportTraceServiceResponse::default().encode_to_vec();
        ([(CONTENT_TYPE, "application/x-protobuf")], answer)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn text<'a>(span: &'a Span, name: &str) -> &'a str {
    let attribute = span.attributes.iter().find(|known| known.key == name);
    match attribute.and_then(|known| known.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_s_way_through_the_services_is_one_trace() {
    let received = Received::default();
    let endpoint = collector(Arc::clone(&received)).await;
    let run = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_order-choreography"))
            .args(["--limit", &ORDERS.to_string()])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env_remove("KAFKA_BOOTSTRAP_SERVERS")
            .output()
    });
    let output = run.await.expect("no panic").expect("the example runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");

    let spans = std::mem::take(&mut *received.lock().expect("no panic before"));
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (&span.span_id, span)).collect();
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    assert_eq!(traces.len(), ORDERS, "a trace for each order: {log}");

    let mut ways: BTreeMap<String, usize> = BTreeMap::new();
    for span in &spans {
        // From the span back to the front's.
        let (mut way, mut at) = (Vec::new(), span);
        while !at.parent_span_id.is_empty() {
            assert_eq!(at.kind, SpanKind::Consumer as i32, "{at:?}");
            way.push(text(at, "events.handler"));
            let parent = by_id.get(&at.parent_span_id);
            let parent = parent.unwrap_or_else(|| panic!("no parent of {at:?}"));
            assert_eq!(parent.trace_id, at.trace_id);
            at = parent;
        }
        assert_eq!(
            (at.name.as_str(), at.kind),
            ("send orders", SpanKind::Producer as i32)
        );
        way.push("orders");
        way.reverse();
        *ways.entry(way.join(" > ")).or_default() += 1;
    }
    for (way, least) in [
        ("orders", ORDERS),
        ("orders > payments/capture", ORDERS),
        ("orders > customers/remember", ORDERS),
        ("orders > payments/capture > inventory/reserve", 1),
        (
            "orders > payments/capture > inventory/reserve > shipping/ship",
            1,
        ),
    ] {
        let count = ways.get(way).copied().unwrap_or(0);
        assert!(count >= least, "{way}: {count} of {ways:#?}");
    }
    let captured = spans
        .iter()
        .find(|span| text(span, "events.handler") == "payments/capture");
    let captured = captured.expect("an order was paid");
    assert_eq!(captured.name, "process orders");
    assert_eq!(text(captured, "messaging.consumer.group.name"), "payments");
}
