//! What the log says of what somebody asked of a parked record: who did, and also if it cannot be done.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use events_core::{Outgoing, event, handler};
use events_runtime::{Service, parked_header as name};
use events_testkit::{Broker, eventually};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[event(topic = "asked-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "asked")]
async fn ship(_order: OrderPlaced) {}

/// The messages of what is logged, with who asked.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line {
    message: String,
    by: Option<String>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "by" => self.by = Some(format!("{value:?}")),
            _ => {}
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if let Some(by) = line.by {
            let said = format!("{by}: {}", line.message);
            self.0.lock().unwrap().push(said);
        }
    }
}

fn fact(kind: &str) -> Outgoing {
    let mut fact = Outgoing::new("asked.parked.asked-orders");
    fact.partition = Some(0);
    fact.set_key(b"o-1").set_value(b"{}");
    fact.add_header(name::FACT, kind);
    fact.add_header(name::HANDLER, "asked/no_more");
    fact
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_is_told_with_who_asked_also_if_it_cannot_be_done() {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let broker = Broker::new();
    broker.auto_create(1);
    let mut parked = fact("parked");
    parked.add_header(name::TOKEN, "00000000deadbeef");
    parked.add_header(name::OFFSET, "0");
    let at = broker.produce(parked).unwrap().offset;
    let running = broker.join(Service::new("asked")).unwrap();
    eventually("the log is claimed", async || {
        let status = running.status().await;
        status.lanes.iter().any(|lane| lane.holding.is_none())
    })
    .await;
    let said = || lines.0.lock().unwrap().clone();
    for (before, action) in ["retry-now", "skip-head", "discard"].iter().enumerate() {
        let mut fact = fact("action");
        fact.add_header(name::ACTION, *action);
        fact.add_header(name::AT, at.to_string());
        fact.add_header(name::ACTOR, "jo");
        broker.produce(fact).unwrap();
        eventually("it is told", async || said().len() > before).await;
    }
    let expected = [
        "is tried at once",
        "is not skipped, though somebody asked for it: no handler of this build runs it",
        "is discarded",
    ];
    for (line, expected) in said().iter().zip(expected) {
        assert!(line.contains("jo") && line.contains(expected), "{line}");
    }
    running.shutdown().await;
}
