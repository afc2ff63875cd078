//! The command line, as a process sees it. The test binary runs itself again as a shop with two services.

mod checks;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use events_kafka::{Embedded, Result, Runtime, Services, State, event, handler, payload};
use serde_json::Value;

/// An order was accepted.
#[event(topic = "cli-orders", key = order_id, version = 2)]
struct OrderPlaced {
    order_id: String,
    cents: u64,
    #[event(since = 2)]
    coupon: Option<String>,
    #[event(default)]
    lines: Vec<Line>,
}

/// A position of an order.
#[payload]
struct Line {
    sku: String,
}

/// A payment was taken.
#[event(topic = "cli-payments", key = order_id)]
struct PaymentCaptured {
    order_id: String,
}

struct Till;

mod payments {
    use super::*;

    events_kafka::service!("payments");

    #[handler(retry(attempts = 3, backoff = "10ms..1s"))]
    async fn capture(order: OrderPlaced, _till: State<Till>) -> Result<PaymentCaptured> {
        Ok(PaymentCaptured {
            order_id: order.order_id,
        })
    }
}

mod audit {
    use super::*;

    events_kafka::service!("audit");

    #[handler(
        group = "audit-log",
        dedupe = false,
        park(backoff = "1m..2h", max_age = "3d"),
        exhausted = "block",
        ordering = "none"
    )]
    async fn write_down(_payment: PaymentCaptured) {}
}

/// What the process prints before anything of its own: what stands above is the test runner's.
const MARK: &str = "-- shop --";
const ARGUMENTS: &str = "SHOP_ARGUMENTS";
const POOR: &str = "SHOP_WITHOUT_TILL";
/// Longer than it is silent on a busy machine.
#[cfg(unix)]
const LONG: Duration = Duration::from_secs(60);

/// Not a test of its own: the process that the others start.
#[test]
fn shop() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    println!("{MARK}");
    let payments = match std::env::var_os(POOR) {
        None => Runtime::new("payments").state(Till),
        Some(_) => Runtime::new("payments"),
    };
    let services = Services::new().add(payments).add(Runtime::new("audit"));
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let ended = tokio.block_on(services.run_from(arguments.split('\u{1f}').map(str::to_owned)));
    let status = ended.map_or_else(
        |error| {
            eprintln!("Error: {error:?}");
            1
        },
        |()| 0,
    );
    std::process::exit(status);
}

fn command(arguments: &[&str]) -> Command {
    let words: Vec<_> = ["shop"].iter().chain(arguments).copied().collect();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["shop", "--exact", "--nocapture", "--test-threads=1"])
        .env(ARGUMENTS, words.join("\u{1f}"))
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .env_remove("RUST_LOG");
    command
}

struct Answer {
    status: i32,
    out: String,
    err: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let out = text(&output.stdout);
        let (_, own) = out
            .split_once(MARK)
            .unwrap_or_else(|| panic!("no mark in {out}"));
        Self {
            status: output.status.code().unwrap(),
            out: own.trim().to_owned(),
            err: text(&output.stderr),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn shop_says(arguments: &[&str]) -> Answer {
    Answer::of(&command(arguments).output().unwrap())
}

#[test]
fn handlers_are_listed() {
    let table = shop_says(&["handlers"]);
    assert_eq!(table.status, 0, "{}", table.err);
    for word in [
        "payments/capture",
        "audit/write_down",
        "audit-log",
        "cli-orders",
        "OrderPlaced",
        "PaymentCaptured",
        "3 attempts, 10ms to 1s, 30s each",
        "then dead letters",
        "parked, 1m to 2h, for 3d",
        "then blocks its key",
        "64 records, in no order, at once",
        "no dedupe",
        "holds while unavailable, or 10 keys failed, for 15m,",
        "one try each 1s to 30s",
        "events-kafka",
    ] {
        assert!(table.out.contains(word), "{word}:\n{}", table.out);
    }
    assert!(
        !table.out.contains('\u{1b}'),
        "no colours without a terminal"
    );
    let rows = shop_says(&["handlers", "--json"]).json();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(
        (
            &rows[0]["handler"],
            &rows[0]["emits"][0],
            &rows[0]["attempts"]
        ),
        (&"capture".into(), &"PaymentCaptured".into(), &3.into())
    );
    assert_eq!(
        (&rows[1]["group"], &rows[1]["dedupe"]),
        (&"audit-log".into(), &false.into())
    );
    let policies = |row: &Value| [row["exhausted"].clone(), row["ordering"].clone()];
    assert_eq!(policies(&rows[0]), ["dead_letter", "key"]);
    assert_eq!(policies(&rows[1]), ["block", "none"]);
    assert_eq!(rows[1]["park"]["max_age_ms"], 3 * 86_400_000);
    assert_eq!(
        (&rows[1]["hold"]["keys"], &rows[1]["hold"]["max_ms"]),
        (&10.into(), &900_000.into())
    );
}

#[test]
fn the_topology_is_drawn() {
    let text = shop_says(&["topology"]);
    assert!(
        text.out.starts_with("OrderPlaced  [cli-orders]"),
        "{}",
        text.out
    );
    assert!(text.out.contains("payments/capture") && text.out.contains("audit/write_down"));
    assert!(
        shop_says(&["topology", "--format", "mermaid"])
            .out
            .starts_with("flowchart LR")
    );
    assert!(
        shop_says(&["topology", "--format", "dot"])
            .out
            .starts_with("digraph")
    );
    let graph = shop_says(&["topology", "--format", "json"]).json();
    assert_eq!(graph["handlers"].as_array().unwrap().len(), 2);
    assert_eq!(graph, shop_says(&["topology", "--json"]).json());
}

#[test]
fn wrong_words_have_status_two_and_name_the_right_ones() {
    let command = shop_says(&["topolgy"]);
    assert_eq!(command.status, 2);
    assert!(command.err.contains("topology"), "{}", command.err);
    let service = shop_says(&["run", "payment"]);
    assert_eq!(service.status, 2);
    assert!(service.err.contains("payments, audit"), "{}", service.err);
    let event = shop_says(&["publish", "OrderPlacd", "{}"]);
    assert_eq!(event.status, 2);
    assert!(
        event.err.contains("OrderPlaced, PaymentCaptured"),
        "{}",
        event.err
    );
}

#[test]
fn publish_compares_the_payload_with_the_schema() {
    let bad = shop_says(&[
        "publish",
        "OrderPlaced",
        r#"{"cents":"5","cupon":"x","lines":[{"skuu":"a"}]}"#,
    ]);
    assert_eq!(bad.status, 1);
    for complaint in [
        "the field `order_id` is missing",
        "cents: expected integer, found string",
        "no field `cupon`",
        "lines[0]: the field `sku` is missing",
    ] {
        assert!(bad.err.contains(complaint), "{complaint}: {}", bad.err);
    }
    let nowhere = shop_says(&["publish", "PaymentCaptured", r#"{"order_id":"o-1"}"#]);
    assert_eq!(nowhere.status, 1);
    assert!(
        nowhere.err.contains("KAFKA_BOOTSTRAP_SERVERS"),
        "{}",
        nowhere.err
    );
}

#[test]
fn publish_writes_the_event() {
    let cluster = Embedded::shared().unwrap();
    cluster.create_topics(["cli-orders"], 1).unwrap();
    let mut child = command(&["publish", "--json", "OrderPlaced", "-"])
        .env("KAFKA_BOOTSTRAP_SERVERS", cluster.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(br#"{"order_id":"o-1","cents":5}"#)
        .unwrap();
    let answer = Answer::of(&child.wait_with_output().unwrap());
    assert_eq!(answer.status, 0, "{}", answer.err);
    let written = answer.json();
    assert_eq!(
        (&written["topic"], &written["key"], &written["offset"]),
        (&"cli-orders".into(), &"o-1".into(), &0.into())
    );
}

#[cfg(unix)]
#[test]
fn run_drains_on_sigterm() {
    let mut child = command(&["run", "--embedded", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let log = BufReader::new(child.stderr.take().unwrap());
    let (line, told) = mpsc::channel();
    thread::spawn(move || log.lines().try_for_each(|read| line.send(read.unwrap())));
    let mut lines = String::new();
    // Answers whether it said one more line before it ended. One that hangs ends with its test.
    let mut says_more = |lines: &mut String| match told.recv_timeout(LONG) {
        Ok(line) => {
            lines.push_str(&line);
            lines.push('\n');
            true
        }
        Err(RecvTimeoutError::Disconnected) => false,
        Err(RecvTimeoutError::Timeout) => {
            child.kill().unwrap();
            panic!("silent for {LONG:?}: {lines}")
        }
    };
    // Both services say that they have started, where, and what the cluster cannot do.
    while lines.matches("started on the embedded cluster").count() < 2 {
        assert!(says_more(&mut lines), "{lines}");
    }
    for word in [
        "no transactions",
        "nothing survives",
        "service=\"payments\"",
        "groups=\"audit-log\"",
        "topics=\"cli-orders\"",
        "address=\"127.0.0.1:",
    ] {
        assert!(lines.contains(word), "{word}: {lines}");
    }
    let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(told.success());
    while says_more(&mut lines) {}
    let mut answer = Answer::of(&child.wait_with_output().unwrap());
    answer.err = lines;
    assert_eq!(answer.status, 0, "{}", answer.err);
    let ended = answer.json();
    let services: Vec<_> = ended
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["service"].as_str().unwrap(),
                one["drained"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        services,
        [("audit", true), ("payments", true)],
        "{}",
        answer.err
    );
}

#[test]
fn manifests_describe_each_service() {
    use events_kafka::manifest::Manifest;

    let printed = shop_says(&["manifest"]);
    let manifests = Manifest::read("printed", printed.out.as_bytes()).unwrap();
    let services: Vec<_> = manifests.iter().map(|one| one.service.as_str()).collect();
    assert_eq!(services, ["payments", "audit"]);
    let payments = &manifests[0];
    let capture = &payments.handlers[0];
    assert_eq!(
        (&*capture.takes, &*capture.emits),
        (
            &["OrderPlaced".to_owned()][..],
            &["PaymentCaptured".to_owned()][..]
        )
    );
    assert_eq!(capture.policy.as_ref().unwrap().attempts, 3);
    let order = payments.event("OrderPlaced").unwrap();
    assert_eq!((order.version, &*order.topic), (2, "cli-orders"));
    assert_eq!(order.schema["properties"]["cents"]["type"], "integer");
    assert_eq!(manifests[1].groups[0].name, "audit-log");
}
