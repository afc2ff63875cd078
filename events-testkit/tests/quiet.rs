//! With `error_texts` off, what an error says stands nowhere: not in a log line, a parked record or a dead letter.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{Error, Park, RecordView, Result, event, handler};
use events_runtime::{Service, Settings};
use events_testkit::{Broker, Received, eventually};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

const SECRET: &str = "card 4711";

#[event(topic = "quiet-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "quiet")]
async fn charge(_order: OrderPlaced) -> Result<()> {
    Err(Error::msg(format!("{SECRET} was refused")).context(format!("{SECRET} is not charged")))
}

#[handler(service = "quiet")]
async fn check(_order: OrderPlaced) -> Result<()> {
    panic!("{SECRET} is no number")
}

/// All that is logged, each field.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        *self.0 += &format!("{}={value:?} ", field.name());
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut lines = self.0.lock().unwrap();
        event.record(&mut Line(&mut lines));
        lines.push('\n');
    }
}

/// All bytes of a record, as far as they are text.
fn text(record: &Received) -> String {
    let headers = (0..).map_while(|index| record.header(index));
    let headers = headers.flat_map(|(name, value)| [name, value.unwrap_or_default()]);
    let parts = headers.chain(record.key()).chain(record.value());
    let parts: Vec<_> = parts.map(String::from_utf8_lossy).collect();
    parts.join(" ")
}

fn settings(settings: &mut Settings) {
    settings.error_texts = false;
    settings.retry.attempts = 2;
    settings.park = Some(Park {
        min: Duration::from_secs(1),
        max: Duration::from_secs(2),
        max_age: Duration::from_secs(10),
    });
}

#[tokio::test(start_paused = true)]
async fn what_an_error_says_stands_nowhere() {
    let lines = Lines::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let broker = Broker::new();
    broker.auto_create(1);
    let service = Service::new("quiet")
        .configure(settings)
        .classify(|error| panic!("{error:#} is not in the table"));
    let running = broker.join(service).unwrap();
    let order = OrderPlaced {
        order_id: "o-1".into(),
    };
    broker.publish(&order);
    eventually("both are given up", async || {
        broker.records("quiet.dead-letters").len() == 2
    })
    .await;
    running.shutdown().await;
    let log = lines.0.lock().unwrap().clone();
    for step in [
        "an attempt failed",
        "its key is parked",
        "an attempt at a parked record failed",
        "giving a record up",
        "`classify` panicked",
    ] {
        assert!(log.contains(step), "`{step}` is not in:\n{log}");
    }
    assert!(!log.contains(SECRET), "{log}");
    for topic in ["quiet.parked.quiet-orders", "quiet.dead-letters"] {
        let records = broker.records(topic);
        assert!(!records.is_empty(), "{topic}");
        for record in records {
            let text = text(&record);
            assert!(!text.contains(SECRET), "{topic}: {text}");
        }
    }
}
