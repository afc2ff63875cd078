//! What the log says of a partition, or a parked log, that cannot be read: once what is wrong, once that it is over.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{Outgoing, event, handler};
use events_runtime::{Service, TopicPartition};
use events_testkit::{Broker, eventually};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[event(topic = "unreadable-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "unreadable")]
async fn ship(_order: OrderPlaced) {}

/// The messages of what is logged, with the error.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Line {
    message: String,
    error: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = format!(": {value:?}"),
            _ => {}
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push(line.message + &line.error);
    }
}

impl Lines {
    fn about(&self, what: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        let about = lines.iter().filter(|line| {
            let said = line.strip_prefix(what).unwrap_or_default();
            said.starts_with(" cannot be read") || said.starts_with(" is read again")
        });
        about.cloned().collect()
    }
}

async fn told(what: &str, log: &TopicPartition, go_on: impl Fn(&Broker)) {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let broker = Broker::new();
    broker.auto_create(1);
    let running = broker.join(Service::new("unreadable")).unwrap();
    go_on(&broker);
    eventually("the lane is ready", async || {
        let status = running.status().await;
        status
            .lanes
            .iter()
            .any(|lane| lane.holding.is_none() && lane.watermark == 1)
    })
    .await;
    for reason in ["no right", "the disk is gone"] {
        broker.make_unreadable(log, reason);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    broker.make_readable(log);
    go_on(&broker);
    eventually("it is read again", async || lines.about(what).len() == 3).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let expected = [
        format!("{what} cannot be read: no right"),
        format!("{what} cannot be read: the disk is gone"),
        format!("{what} is read again"),
    ];
    assert_eq!(lines.about(what), expected);
}

fn order(broker: &Broker) {
    let order_id = "o-1".to_owned();
    broker.publish(&OrderPlaced { order_id });
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_partition_is_told_once() {
    let log = TopicPartition::new("unreadable-orders", 0);
    told("the partition", &log, order).await;
}

/// A record that is no fact, so that there is something to read.
fn odd_record(broker: &Broker) {
    if broker.records("unreadable-orders").is_empty() {
        order(broker);
    }
    let mut record = Outgoing::new("unreadable.parked.unreadable-orders");
    record.set_value(b"");
    broker.produce(record).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_parked_log_is_told_once() {
    let log = TopicPartition::new("unreadable.parked.unreadable-orders", 0);
    told("the parked log", &log, odd_record).await;
}
