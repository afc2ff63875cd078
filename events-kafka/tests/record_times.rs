//! Records whose time the topics of a real cluster refuse: Apache Kafka takes none that lie an hour ahead, by default.

mod support;

use std::time::Duration;

use events_core::{EventDescriptor, Middleware, Outgoing};
use events_kafka::{Error, Park, Result, Runtime, Terminal, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use support::{Logged, client, read_all, real, topic_with, unique};

#[event(name = "TimedTask", topic = "timed-tasks", key = key)]
struct Task {
    key: String,
}

#[event(name = "TimedResult", topic = "timed-results", key = key)]
struct Done {
    key: String,
}

#[handler(service = "record-times")]
async fn work(task: Task) -> Result<Done> {
    match task.key.split('-').next() {
        Some("lost") => Err(Terminal::msg("never").into()),
        Some("parked") => Err(Error::msg("not yet")),
        _ => Ok(Done { key: task.key }),
    }
}

/// The time of one who takes milliseconds for microseconds.
const MICROS: i64 = 1_800_000_000_000_000;

struct Dating;

impl Middleware for Dating {
    fn on_publish(&self, _: &EventDescriptor, record: &mut Outgoing) {
        record.timestamp = Some(MICROS);
    }
}

/// The record of a topic with this key, once it is there.
async fn once(topic: &str, key: &str) -> Logged {
    let mut found = None;
    eventually(&format!("{key} stands in {topic}"), async || {
        found = read_all(topic).into_iter().find(|record| record.key == key);
        found.is_some()
    })
    .await;
    found.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_a_topic_refuses_goes_into_a_header() {
    if !real() {
        println!(
            "not on the embedded cluster, which takes every time: set KAFKA_BOOTSTRAP_SERVERS"
        );
        return;
    }
    let any = [("message.timestamp.after.max.ms", "9223372036854775807")];
    topic_with("timed-tasks", 1, &any).await;
    let few = [
        ("message.timestamp.after.max.ms", "60000"),
        ("max.message.bytes", "2000000"),
        ("retention.ms", "-1"),
    ];
    topic_with("timed-results", 1, &few[..1]).await;
    for name in [
        "record-times.dead-letters",
        "record-times.parked.timed-tasks",
    ] {
        topic_with(name, 1, &few).await;
    }
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .create()
        .unwrap();
    let keys = ["lost", "parked", "emitted"].map(unique);
    for key in &keys {
        let value = format!(r#"{{"key":"{key}"}}"#);
        let header = |key, value| Header {
            key,
            value: Some(value),
        };
        let headers = OwnedHeaders::new()
            .insert(header("ce_type", "TimedTask"))
            .insert(header("ce_id", key));
        let record = BaseRecord::to("timed-tasks").key(key).payload(&value);
        let record = record.timestamp(MICROS).headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();

    let service = Runtime::new("record-times")
        .client(client())
        .middleware(Dating)
        .configure(|settings| {
            settings.retry.attempts = 1;
            settings.park = Some(Park::DEFAULT);
            settings.drain = Duration::from_secs(5);
        });
    let running = service.spawn().await.unwrap();
    let [lost, parked, emitted] = &keys;
    let micros = MICROS.to_string();
    let letter = once("record-times.dead-letters", lost).await;
    assert_eq!(letter.header("dl_timestamp"), Some(&*micros));
    let fact = once("record-times.parked.timed-tasks", parked).await;
    assert_eq!(fact.header("pk_timestamp"), Some(&*micros));
    let done = once("timed-results", emitted).await;
    assert_eq!(done.header("ce_recordtime"), Some(&*micros));
    eventually("all are committed", async || running.lag() == Some(0)).await;
    let report = running.drain().await;
    assert!(report.drained, "{report:?}");
}
