//! A running service as its endpoint and the command line tell it, on the embedded cluster.
#![cfg(feature = "status")]

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use events_kafka::{
    ClientOptions, Error, Handle, Result, Runtime, Services, Terminal, event, handler,
};
use events_testkit::eventually;
use serde_json::Value;

/// An order was accepted.
#[event(topic = "status-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

/// A parcel left.
#[event(topic = "status-parcels", key = parcel)]
struct ParcelSent {
    parcel: String,
}

#[handler(service = "status-shop")]
async fn ship(order: OrderPlaced) {
    if order.order_id == "o-stuck" {
        std::future::pending::<()>().await;
    }
}

#[handler(service = "status-pair")]
async fn follow(_parcel: ParcelSent) {}

/// A pallet came.
#[event(topic = "status-pallets", key = pallet)]
struct PalletCame {
    pallet: String,
}

#[handler(service = "status-yard", retry(attempts = 2, backoff = "1ms..1ms"))]
async fn stack(came: PalletCame) -> Result<()> {
    match came.pallet.as_str() {
        "p-torn" => Err(Terminal::msg("it is torn").into()),
        _ => Err(Error::msg("there is no room")),
    }
}

fn shop() -> Runtime {
    Runtime::new("status-shop").configure(|settings| {
        // Far longer than a lane takes to answer, and the drain far longer than a look at it, on a busy machine.
        settings.stall = Duration::from_secs(3);
        settings.commit_interval = Duration::from_millis(50);
        settings.drain = Duration::from_secs(5);
    })
}

const MARK: &str = "-- status --";
const ARGUMENTS: &str = "STATUS_ARGUMENTS";

/// Not a test of its own: the process that the others start to use the command line.
#[test]
fn command() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    println!("{MARK}");
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let services = Services::new().add(shop());
    let ended = tokio.block_on(services.run_from(arguments.split(' ').map(str::to_owned)));
    if let Err(error) = ended {
        eprintln!("Error: {error:?}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

/// What the command line of the service says, with the cluster of `handle`.
async fn says(handle: &Handle, arguments: String) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["command", "--exact", "--nocapture", "--test-threads=1"])
        .env(ARGUMENTS, format!("shop {arguments}"))
        .env("KAFKA_BOOTSTRAP_SERVERS", handle.address())
        .env_remove("EVENTS_STATUS_ADDRESS")
        .env_remove("RUST_LOG");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, own) = text.split_once(MARK).unwrap();
    own.trim().to_owned()
}

async fn get(at: SocketAddr, path: &str) -> (u16, String) {
    let answer = events_status::get(at, path).await.unwrap();
    (answer.status, answer.body)
}

/// Asks until the answer is right.
async fn until(at: SocketAddr, path: &str, right: impl Fn(u16, &str) -> bool) -> String {
    let last = Mutex::new(String::new());
    let wait = async {
        loop {
            let (status, body) = get(at, path).await;
            if right(status, &body) {
                return body;
            }
            *last.lock().unwrap() = format!("{status} {body}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .unwrap_or_else(|_| panic!("{path} after 60 s: {}", last.lock().unwrap()))
}

/// One sample of Prometheus' text format.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Sample {
    fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the text format, and refuses what a scraper would refuse.
fn samples(text: &str) -> Vec<Sample> {
    let mut typed: Vec<&str> = Vec::new();
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<_> = comment.splitn(3, ' ').collect();
            assert!(matches!(words[0], "HELP" | "TYPE"), "{line}");
            if words[0] == "TYPE" {
                assert!(!typed.contains(&words[1]), "twice: {line}");
                typed.push(words[1]);
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        assert!(typed.iter().any(|known| name.starts_with(known)), "{line}");
        let name_is_right = |name: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !name.is_empty() && name.chars().all(allowed)
        };
        assert!(name_is_right(name), "{line}");
        // No value in this test holds a comma.
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (name, value) = label.split_once('=').unwrap();
            assert!(name_is_right(name), "{line}");
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            (name.to_owned(), value.unwrap().to_owned())
        });
        samples.push(Sample {
            name: name.to_owned(),
            labels: labels.collect(),
            value: value.parse().unwrap(),
        });
    }
    samples
}

fn sum(text: &str, name: &str, label: (&str, &str)) -> f64 {
    let samples = samples(text).into_iter();
    samples
        .filter(|sample| sample.name == name && sample.label(label.0) == Some(label.1))
        .map(|sample| sample.value)
        .sum()
}

const TOPIC: (&str, &str) = ("messaging_destination_name", "status-orders");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_tells_its_health_its_counts_its_lag_and_obeys() {
    let runtime = shop().client(ClientOptions::without_environment().embedded());
    let handle = runtime.status_address("127.0.0.3:0").spawn().await.unwrap();
    let at = handle.status_address().unwrap();
    until(at, "/readyz", |status, _| status == 200).await;
    until(at, "/healthz", |status, _| status == 200).await;
    let producer = handle.producer().unwrap();
    for order in ["o-1", "o-2", "o-3"] {
        let order_id = order.to_owned();
        producer.publish(&OrderPlaced { order_id }).await.unwrap();
    }
    let handled = "events_handler_handled_total";
    let consumed = "messaging_client_consumed_messages_total";
    // A handler counts at once, a lane when it is asked.
    let counted =
        |text: &str| sum(text, handled, TOPIC) >= 3.0 && sum(text, consumed, TOPIC) >= 3.0;
    let metrics = until(at, "/metrics", |_, text| counted(text)).await;
    assert_eq!(sum(&metrics, handled, TOPIC), 3.0, "{metrics}");
    assert_eq!(sum(&metrics, consumed, TOPIC), 3.0, "{metrics}");
    let timed = "messaging_process_duration_seconds_count";
    assert!(sum(&metrics, timed, ("handler", "ship")) >= 1.0);
    let consumed: Vec<_> = samples(&metrics)
        .into_iter()
        .filter(|sample| sample.name == consumed && sample.label(TOPIC.0) == Some(TOPIC.1))
        .collect();
    for sample in &consumed {
        for (label, value) in [
            ("messaging_system", Some("kafka")),
            ("messaging_consumer_group_name", Some("status-shop")),
        ] {
            assert_eq!(sample.label(label), value, "{sample:?}");
        }
        assert!(sample.label("messaging_destination_partition_id").is_some());
    }
    until(at, "/metrics", |_, text| {
        sum(text, "events_lane_lag", TOPIC) == 0.0
    })
    .await;

    // A key that does not get on.
    for order in ["o-stuck", "o-stuck"] {
        let order_id = order.to_owned();
        producer.publish(&OrderPlaced { order_id }).await.unwrap();
    }
    // A restart does not help: it stands in the answer, and the process goes on.
    let stuck = |status, text: &str| status == 200 && text.contains("o-stuck");
    let health = until(at, "/healthz", stuck).await;
    for word in [
        "a restart does not help",
        "status-shop",
        "status-orders/",
        "ship",
        "o-stuck",
        "no progress",
    ] {
        assert!(health.contains(word), "{word}: {health}");
    }
    until(at, "/metrics", |_, text| {
        sum(text, "events_lane_watermark_age_seconds", TOPIC) > 0.5
            && sum(text, "events_lane_lag", TOPIC) == 2.0
            && sum(text, "events_lane_in_flight", TOPIC) == 2.0
    })
    .await;
    let status: Value = serde_json::from_str(&get(at, "/status").await.1).unwrap();
    assert_eq!(status[0]["healthy"], false, "{status}");

    // The same by the command line.
    let lag: Value =
        serde_json::from_str(&says(&handle, format!("lag --json --address {at}")).await).unwrap();
    let rows = lag.as_array().unwrap();
    let behind: Vec<_> = rows.iter().filter(|row| row["records"] != 0).collect();
    assert_eq!((rows.len(), behind.len()), (4, 1), "{lag}");
    let row = behind[0];
    assert_eq!(
        (&row["records"], &row["oldest"]["key"]),
        (&2.into(), &"o-stuck".into()),
        "{row}"
    );
    assert!(row["seconds"].as_f64().unwrap() > 0.5, "{row}");
    assert_eq!(
        row["oldest"]["offset"], row["blocked_by"]["offset"],
        "{row}"
    );
    assert_eq!(row["blocked_by"]["handler"], "status-shop/ship", "{row}");
    assert_eq!(row["blocked_by"]["key"], "o-stuck", "{row}");
    // Nobody needs to run for this.
    let table = says(&handle, "lag".to_owned()).await;
    for word in ["key o-stuck", "2 records behind", "status-orders/3"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let printed = says(&handle, format!("status --address {at}")).await;
    for word in [
        "status-shop: UNHEALTHY",
        "status-shop/ship",
        "key o-stuck",
        "status-orders/3",
    ] {
        assert!(printed.contains(word), "{word}: {printed}");
    }
    let json: Value =
        serde_json::from_str(&says(&handle, format!("status --json --address {at}")).await)
            .unwrap();
    assert_eq!(json[0]["service"], "status-shop");

    // It is told to hold.
    assert_eq!(
        says(&handle, format!("pause ship --address {at}")).await,
        "status-shop/ship: paused"
    );
    until(at, "/status", |_, text| {
        text.contains("\"reason\": \"paused\"")
    })
    .await;
    assert_eq!(
        says(&handle, format!("resume status-shop/ship --address {at}")).await,
        "status-shop/ship: resumed"
    );
    until(at, "/status", |_, text| {
        !text.contains("\"reason\": \"paused\"")
    })
    .await;

    // The attempt that does not end keeps the drain waiting to its deadline.
    let draining = tokio::spawn(handle.drain());
    let unready = until(at, "/readyz", |status, _| status == 503).await;
    assert_eq!(unready, "status-shop: draining\n");
    assert!(!draining.await.unwrap().drained);
    assert!(
        events_status::get(at, "/readyz").await.is_err(),
        "it is closed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_counted_and_a_parked_key_is_no_illness() {
    let runtime = Runtime::new("status-yard")
        .client(ClientOptions::without_environment().embedded())
        .configure(|settings| settings.commit_interval = Duration::from_millis(50))
        .park_on_embedded();
    let handle = runtime.status_address("127.0.0.6:0").spawn().await.unwrap();
    let at = handle.status_address().unwrap();
    let producer = handle.producer().unwrap();
    for pallet in ["p-torn", "p-late"] {
        let pallet = pallet.to_owned();
        producer.publish(&PalletCame { pallet }).await.unwrap();
    }
    let group = ("messaging_consumer_group_name", "status-yard");
    for (name, count) in [
        ("events_handler_retried_total", 1.0),
        ("events_handler_parked_total", 1.0),
        ("events_handler_dead_lettered_total", 1.0),
        ("events_lane_parked_keys", 1.0),
    ] {
        until(at, "/metrics", |_, text| sum(text, name, group) == count).await;
    }
    let (status, health) = get(at, "/healthz").await;
    assert_eq!(status, 200, "{health}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_without_partitions_is_ready() {
    let mut handles = Vec::new();
    for address in ["127.0.0.4:0", "127.0.0.5:0"] {
        let runtime = Runtime::new("status-pair")
            .client(ClientOptions::without_environment().embedded())
            .ensure_topics(1, 1)
            .status_address(address);
        let handle = runtime.spawn().await.unwrap();
        until(handle.status_address().unwrap(), "/readyz", |status, _| {
            status == 200
        })
        .await;
        handles.push(handle);
    }
    eventually("one of the two has none", async || {
        handles.iter().map(Handle::partitions).sum::<usize>() == 1
    })
    .await;
}

#[tokio::test]
async fn a_wrong_address_is_a_fault_and_a_taken_one_an_error() {
    let embedded = || ClientOptions::without_environment().embedded();
    let wrong = shop().status_address("here").check().unwrap_err();
    assert!(wrong.to_string().contains("127.0.0.1:9464"), "{wrong}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = shop()
        .client(embedded())
        .status_address(address)
        .spawn()
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("EVENTS_STATUS_ADDRESS"), "{error}");
}
