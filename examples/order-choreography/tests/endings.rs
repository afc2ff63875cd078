//! Runs the example as a user does, and holds its report against the file.

mod plain_loop;

use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use events_kafka::company::{Company, Limits, Severity};
use events_kafka::manifest::Manifest;
use plain_loop::{Endings, plain_loop};
use serde_json::Value;

const FIELDS: [&str; 15] = [
    "captured_cents",
    "declined",
    "duplicates_skipped",
    "events_per_second",
    "held",
    "orders",
    "p50_ms",
    "p99_ms",
    "parked",
    "redriven",
    "refunded",
    "refunded_cents",
    "retried",
    "shipped",
    "unfinished",
];

/// On a cluster of one's own two runs at a time would share their groups, and each would see half.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs the example on the cluster of the environment, or else on the embedded one.
fn example(arguments: &[&str]) -> Output {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    Command::new(env!("CARGO_BIN_EXE_order-choreography"))
        .args(arguments)
        .output()
        .expect("the example runs")
}

/// The report of a run that must go well.
fn report(arguments: &[&str]) -> Value {
    let output = example(&[arguments, &["--json"]].concat());
    let (report, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{report}\n{log}");
    serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}\n{log}"))
}

fn endings(report: &Value) -> Endings {
    let number = |field: &str| {
        report[field]
            .as_u64()
            .unwrap_or_else(|| panic!("{field}: {report}"))
    };
    assert_eq!(number("unfinished"), 0, "{report}");
    Endings {
        orders: number("orders"),
        shipped: number("shipped"),
        declined: number("declined"),
        refunded: number("refunded"),
        captured_cents: number("captured_cents"),
        refunded_cents: number("refunded_cents"),
    }
}

#[test]
fn every_order_ends_as_a_plain_loop_over_the_file_says() {
    let report = report(&[]);
    assert_eq!(endings(&report), plain_loop(10_000));
    for field in [
        "duplicates_skipped",
        "retried",
        "held",
        "parked",
        "redriven",
    ] {
        assert_eq!(report[field], 0, "{field}: {report}");
    }
    let fields: Vec<_> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, FIELDS);
}

#[test]
fn chaos_changes_nothing_of_the_ending() {
    let report = report(&["--chaos", "--limit", "2000"]);
    assert_eq!(endings(&report), plain_loop(2_000));
    for field in ["duplicates_skipped", "retried", "held"] {
        assert!(report[field].as_u64() > Some(0), "{field}: {report}");
    }
    // Every order of the five customers over whom the warehouse stumbles that came while it did; all seven orders over which
    // the projection does.
    assert!(report["parked"].as_u64() >= Some(5), "{report}");
    assert_eq!(report["redriven"], 7, "{report}");
}

#[test]
fn a_table_is_printed_for_people() {
    let output = example(&["--limit", "10"]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{table}");
    for line in [
        "orders placed",
        "shipped",
        "declined",
        "refunded",
        "money in",
        "as the file says",
        "p50",
        "p99",
        "retried",
        "held",
        "parked",
        "redriven",
    ] {
        assert!(table.contains(line), "{line} is missing:\n{table}");
    }
}

#[test]
fn wrong_arguments_say_what_would_be_right() {
    let output = example(&["--orders", "no-such-file.csv"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && log.contains("cannot read no-such-file.csv"),
        "{log}"
    );
}

#[test]
fn the_graph_is_known_without_a_broker() {
    let output = example(&["topology"]);
    let graph = String::from_utf8_lossy(&output.stdout);
    for handler in [
        "payments/capture",
        "payments/refund",
        "inventory/reserve",
        "shipping/ship",
        "customers/remember",
    ] {
        assert!(graph.contains(handler), "{handler} is missing:\n{graph}");
    }
    let failure = "StockRefused  [inventory]  ✗ failure\n";
    assert!(graph.contains(failure), "{graph}");
}

#[test]
fn a_refused_order_is_the_one_failure_and_payments_makes_it_good() {
    let output = example(&["manifest"]);
    let mut manifests = Manifest::read("manifest", &output.stdout).expect("manifests");
    let errors = |manifests: &[Manifest]| -> Vec<_> {
        let findings = Company::join(manifests.to_vec()).check(&Limits::default());
        let errors = findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error);
        errors
            .map(|finding| (finding.fault.code, finding.event.unwrap_or_default()))
            .collect()
    };
    assert_eq!(errors(&manifests), []);
    // The auditor listens to everything, and makes nothing good.
    manifests.retain(|manifest| manifest.service != "audit");
    let handlers = manifests.iter().flat_map(|manifest| &manifest.handlers);
    let failures: Vec<_> = handlers.flat_map(|handler| &handler.failures).collect();
    assert_eq!(failures, ["StockRefused"]);
    assert_eq!(errors(&manifests), []);
    for manifest in &mut manifests {
        let handlers = &mut manifest.handlers;
        handlers.retain(|handler| handler.handler != "refund");
    }
    assert_eq!(
        errors(&manifests),
        [("unhandled-failure", "StockRefused".to_owned())]
    );
}
