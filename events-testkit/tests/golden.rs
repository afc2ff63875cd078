//! Every kind of record that is written, byte for byte, beside the file that pins it (`golden/*.txt`).
//!
//! A file that changes is a breaking change of ours: services of two builds read each other's records, and so do people's tools.
//! `GOLDEN=write cargo test -p events-testkit --test golden` writes the files; `git diff` then shows what changed.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use events_core::{Error, Outgoing, Park, Result, Retry, Terminal, event, handler, header};
use events_runtime::{Dialects, Service, dead_letter_header, parked_header};
use events_testkit::{Broker, Received, eventually};

/// An order was accepted.
#[event(topic = "golden-orders", key = (customer, order_id), version = 3)]
struct OrderPlaced {
    customer: String,
    order_id: String,
    cents: u64,
    #[event(since = 2)]
    note: Option<String>,
}

/// Somebody looked at the shelf; without a key.
#[event(topic = "golden-looks")]
struct ShelfSeen {
    shelf: u32,
}

#[event(topic = "golden-stock", key = order_id)]
struct StockReserved {
    order_id: String,
}

#[handler(service = "golden")]
async fn reserve(order: OrderPlaced) -> Result<(StockReserved, Vec<ShelfSeen>)> {
    match &*order.order_id {
        "hopeless" => Err(Terminal::new(Error::msg("no such shelf")).into()),
        "poison" => Err(Error::msg("the shelf is locked").context("order poison")),
        _ => Ok((
            StockReserved {
                order_id: order.order_id,
            },
            vec![ShelfSeen { shelf: 1 }, ShelfSeen { shelf: 2 }],
        )),
    }
}

fn order(order_id: &str) -> OrderPlaced {
    OrderPlaced {
        customer: "c 7/ü".to_owned(),
        order_id: order_id.to_owned(),
        cents: 250,
        note: None,
    }
}

/// What no two runs have alike.
const VARYING: [(&str, &str); 8] = [
    (header::TIME, "<RFC 3339>"),
    (dead_letter_header::TIME, "<RFC 3339>"),
    (dead_letter_header::SINCE, "<milliseconds>"),
    (parked_header::TIMESTAMP, "<milliseconds>"),
    (parked_header::NEXT, "<milliseconds>"),
    (parked_header::SINCE, "<milliseconds>"),
    (parked_header::TOKEN, "<16 hexadecimal digits>"),
    ("kafka_dlt-original-timestamp", "<8 bytes>"),
];

/// Every byte told apart, and quotes as they are: values are JSON.
fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\\"", "\"")
}

fn as_text(record: &Received) -> String {
    let key = record
        .record
        .key()
        .map(|key| key.escape_ascii().to_string());
    let value = record.record.value();
    let value = value.map(|value| value.escape_ascii().to_string());
    let mut text = format!("topic: {}\n", record.topic);
    // Writing to a string does not fail.
    let _ = writeln!(text, "key: {}", key.as_deref().unwrap_or("(null)"));
    let _ = writeln!(text, "headers:");
    for (name, value) in record.record.headers() {
        let name = escaped(name);
        let value = value.map(escaped);
        let value = value.as_deref().unwrap_or("(null)");
        let value = match VARYING.iter().find(|(varying, _)| *varying == name) {
            Some((_, shape)) => shaped(&name, value, shape),
            None => value,
        };
        let _ = writeln!(text, "  {name}: {value}");
    }
    let _ = writeln!(text, "value: {}", value.as_deref().unwrap_or("(null)"));
    text
}

/// The shape in the place of the value, which has it.
fn shaped<'a>(name: &str, value: &str, shape: &'a str) -> &'a str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let holds = match shape {
        "<RFC 3339>" => {
            let figures = value.replace(|figure: char| figure.is_ascii_digit(), "0");
            figures == "0000-00-00T00:00:00.000Z"
        }
        "<milliseconds>" => digits(value),
        "<8 bytes>" => !value.is_empty(),
        _ => value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
    };
    assert!(holds, "{name} is no {shape}: {value}");
    shape
}

fn compare(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if std::env::var_os("GOLDEN").is_some_and(|mode| mode == "write") {
        std::fs::write(&path, found).expect("the golden file is written");
        return;
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        pinned == found,
        "{file} is not what is written now. That is a breaking change for whoever reads it; if it is meant, \
         `GOLDEN=write cargo test -p events-testkit --test golden`, look at `git diff`, and say so in the changelog.\n\
         --- pinned\n{pinned}\n+++ written\n{found}"
    );
}

fn compare_records<'a>(file: &str, records: impl IntoIterator<Item = &'a Received>) {
    let records: Vec<_> = records.into_iter().map(as_text).collect();
    compare(file, &records.join("\n"));
}

fn broker() -> Broker {
    let broker = Broker::new();
    broker.auto_create(1);
    broker
}

fn service() -> Service {
    Service::new("golden").configure(|settings| {
        settings.commit_interval = Duration::from_millis(20);
        settings.retry = Retry {
            attempts: 2,
            ..settings.retry
        };
        // Waits are between half and all of 4 s, then of 8 s: one attempt before it is too old, and one after.
        settings.park = Some(Park {
            min: Duration::from_secs(4),
            max: Duration::from_secs(8),
            max_age: Duration::from_secs(5),
        });
    })
}

fn fact<'a>(log: &'a [Received], kind: &str) -> Option<&'a Received> {
    log.iter()
        .find(|record| record.header_text(parked_header::FACT).as_deref() == Some(kind))
}

#[tokio::test(start_paused = true)]
async fn events_at_the_edge() {
    let broker = broker();
    broker.publish(&order("o-1"));
    broker.publish(&ShelfSeen { shelf: 9 });
    compare_records(
        "edge.txt",
        &[
            broker.records("golden-orders"),
            broker.records("golden-looks"),
        ]
        .concat(),
    );
}

#[tokio::test(start_paused = true)]
async fn emissions() {
    let broker = broker();
    let running = broker.join(service()).expect("it starts");
    let mut cause = Outgoing::new("golden-orders");
    cause
        .set_key(b"k")
        .set_value(br#"{"customer":"c","order_id":"o-1","cents":1}"#)
        .add_header(header::TYPE, "OrderPlaced")
        .add_header(header::ID, "cause-1")
        .add_header(header::SOURCE, "shop")
        .add_header(header::CORRELATION_ID, "flow-1")
        .add_header(header::HOPS, "4")
        .add_header(
            header::TRACE_PARENT,
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .add_header(header::TRACE_STATE, "vendor=1")
        .add_header("tenant", "x");
    broker.produce(cause).expect("it is written");
    eventually("emissions", async || {
        broker.records("golden-looks").len() == 2
    })
    .await;
    running.shutdown().await;
    compare_records(
        "emissions.txt",
        &[
            broker.records("golden-stock"),
            broker.records("golden-looks"),
        ]
        .concat(),
    );
}

#[tokio::test(start_paused = true)]
async fn dead_letters() {
    let broker = broker();
    let service = service().configure(|settings| {
        settings.dead_letter_headers = Dialects {
            spring: true,
            connect: true,
        };
    });
    let running = broker.join(service).expect("it starts");
    broker.publish(&order("hopeless"));
    let letters = || broker.records("golden.dead-letters");
    eventually("a dead letter", async || letters().len() == 1).await;
    let mut odd = Outgoing::new("golden-orders");
    odd.set_value(b"\xff\0")
        .add_header(header::TYPE, "OrderPlaced")
        .add_header("tenant", b"caf\xe9");
    broker.produce(odd).expect("it is written");
    eventually("another", async || letters().len() == 2).await;
    running.shutdown().await;
    compare_records("dead-letters.txt", &letters());
}

#[tokio::test(start_paused = true)]
async fn facts_of_a_parked_log() {
    let broker = broker();
    let running = broker.join(service()).expect("it starts");
    broker.publish(&order("poison"));
    let log = || broker.records("golden.parked.golden-orders");
    // Too old at last: a dead letter, and done.
    eventually("the record is done", async || {
        fact(&log(), "done").is_some()
    })
    .await;
    running.shutdown().await;
    let log = log();
    let kinds = ["claim", "parked", "failed", "done"];
    compare_records(
        "parked.txt",
        kinds.iter().filter_map(|kind| fact(&log, kind)),
    );
    compare_records(
        "parked-too-long.txt",
        &broker.records("golden.dead-letters"),
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_commit_carries() {
    let broker = broker();
    let held = service().configure(|settings| {
        settings.park = None;
        settings.retry.attempts = 1_000;
    });
    let running = broker.join(held).expect("it starts");
    for order_id in ["o-1", "poison", "o-2", "o-3"] {
        broker.publish(&order(order_id));
    }
    let committed = || {
        let all = broker.committed("golden");
        all.into_values()
            .find(|position| !position.metadata.is_empty() && position.watermark == 1)
    };
    eventually("the map is committed", async || {
        broker.records("golden-stock").len() == 3 && committed().is_some()
    })
    .await;
    running.shutdown().await;
    let position = committed().expect("it was just there");
    compare(
        "commit.txt",
        &format!(
            "offset: {}\nmetadata: {}\n",
            position.watermark, position.metadata
        ),
    );
}
