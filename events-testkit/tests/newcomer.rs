//! A handler that is new to a group which exists starts at the group's position, and the log says so (D14).

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use events_core::{Registry, State, event, handler};
use events_runtime::Service;
use events_testkit::{Broker, eventually};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[event(topic = "newcomer-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

type Done = Mutex<Vec<String>>;

#[handler(service = "newcomer")]
async fn bill(order: OrderPlaced, done: State<Done>) {
    done.lock()
        .unwrap()
        .push(format!("bill {}", order.order_id));
}

#[handler(service = "newcomer")]
async fn ship(order: OrderPlaced, done: State<Done>) {
    done.lock()
        .unwrap()
        .push(format!("ship {}", order.order_id));
}

/// What is said of where handlers start.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.0.contains("the handlers go on") {
            self.0.lock().unwrap().push(line.0);
        }
    }
}

async fn served(broker: &Broker, handlers: &[&str], until: i64) -> Vec<String> {
    let mut registry = Registry::linked();
    registry
        .handlers
        .retain(|handler| handlers.contains(&handler.name));
    let done = Arc::new(Done::default());
    let service = Service::with_registry("newcomer", registry).shared_state(Arc::clone(&done));
    let running = broker.join(service).unwrap();
    eventually("all is handled", async || {
        let committed = broker.committed("newcomer");
        let mut sources = committed
            .iter()
            .filter(|(log, _)| log.topic == "newcomer-orders");
        sources.any(|(_, position)| position.watermark == until)
    })
    .await;
    running.shutdown().await;
    let mut done = std::mem::take(&mut *done.lock().unwrap());
    done.sort();
    done
}

#[tokio::test(start_paused = true)]
async fn a_new_handler_starts_at_the_position_of_its_group_and_the_log_says_so() {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let broker = Broker::new();
    broker.auto_create(1);
    let order = |number: u32| {
        let order_id = format!("o-{number}");
        broker.publish(&OrderPlaced { order_id });
    };
    order(1);
    assert_eq!(served(&broker, &["bill"], 1).await, ["bill o-1"]);
    assert!(lines.0.lock().unwrap().is_empty(), "it starts with the log");
    order(2);
    let done = served(&broker, &["bill", "ship"], 2).await;
    assert_eq!(done, ["bill o-2", "ship o-2"]);
    let lines = lines.0.lock().unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("newcomer/ship"), "{lines:?}");
}
