//! `dead-letters` and `parked` on a cluster: the embedded one or the one that KAFKA_BOOTSTRAP_SERVERS names.
//!
//! Most of it is one test: the letters of a group are one log, and each step reads what the one before left there.

mod older;
mod others;
mod shop;
mod skipped;
mod steps;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use events_testkit::eventually;
use serde_json::{Value, json};
use shop::{Addresses, BillDue, LETTERS, OrderPlaced, PARKED, Printer, says};
use support::read;

fn ids(list: &Value) -> Vec<String> {
    let letters = list["letters"].as_array().unwrap();
    letters
        .iter()
        .map(|letter| letter["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_put_right() {
    shop::topics(&[
        shop::TOPIC,
        LETTERS,
        PARKED,
        "letters-orders.DLT",
        "letters-connect",
    ])
    .await;
    let service = shop::start("letters-shipping", Arc::new(Addresses::default())).await;
    let address = service.address().to_owned();
    let at = |words: &[&str]| says(&address, words);
    assert_eq!(
        at(&["dead-letters", "list"]).out,
        "no open dead letters",
        "the cluster must be a new one"
    );

    let producer = service.producer().unwrap();
    for (order_id, number) in [
        ("bad-a", 1),
        ("bad-b", 2),
        ("good", 3),
        ("bad-a", 4),
        ("bad-c", 5),
    ] {
        let order_id = order_id.to_owned();
        producer
            .publish(&OrderPlaced { order_id, number })
            .await
            .unwrap();
    }
    eventually("four letters", async || {
        service.status().handlers[0].dead_lettered == 4
    })
    .await;
    // The service has nothing to do with what follows.
    service.drain().await;

    // list
    let groups = at(&["dead-letters", "list", "--json"]).json();
    assert_eq!(groups["open"], 4);
    assert_eq!(groups["groups"].as_array().unwrap().len(), 1, "{groups}");
    let group = &groups["groups"][0];
    assert_eq!(
        (
            &group["handler"],
            &group["event"],
            &group["error"],
            &group["count"]
        ),
        (
            &json!("letters-shipping/ship"),
            &json!("OrderPlaced"),
            &json!("order # has no address"),
            &json!(4)
        )
    );
    let table = at(&["dead-letters", "list", "--handler", "ship"]).out;
    assert!(
        table.contains("order # has no address") && table.ends_with("4 open"),
        "{table}"
    );
    let each = at(&["dead-letters", "list", "--each", "--json", "--key", "bad-a"]).json();
    let of_a = ids(&each);
    assert_eq!(of_a.len(), 2, "{each}");
    assert_eq!(
        each["letters"][0]["origin"]
            .as_str()
            .unwrap()
            .split('/')
            .next(),
        Some(shop::TOPIC)
    );
    for (words, count) in [
        (["--event", "OrderPlaced"], 4),
        (["--event", "OrderPaid"], 0),
        (["--error", "NOT FOUND"], 4),
        (["--since", "1h"], 4),
        (["--until", "1h"], 0),
        (["--id", &of_a[1]], 1),
    ] {
        let words = [&["dead-letters", "list", "--json"][..], &words].concat();
        assert_eq!(at(&words).json()["open"], count, "{words:?}");
    }

    // show
    let shown = at(&["dead-letters", "show", &of_a[0]]).out;
    for text in [
        "handler      letters-shipping/ship",
        "key          bad-a",
        "error        order 1 has no address",
        "  caused by  not found",
        "attempts     1",
        "\"order_id\": \"bad-a\"",
        "it fits its schema",
        "ce_type: OrderPlaced",
    ] {
        assert!(shown.contains(text), "{text}:\n{shown}");
    }
    let shown = at(&["dead-letters", "show", &of_a[0], "--json"]).json();
    assert_eq!(
        shown["payload"],
        json!({ "order_id": "bad-a", "number": 1 })
    );
    assert_eq!(shown["error_chain"][1], "not found");

    // export
    let exported = at(&["dead-letters", "export", "--key", "bad-c"]).out;
    let line: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(
        (&line["key"], &line["event"]),
        (&json!("bad-c"), &json!("OrderPlaced"))
    );

    // discard
    let of_b = ids(&at(&["dead-letters", "list", "--each", "--json", "--key", "bad-b"]).json());
    let unasked = at(&["dead-letters", "discard", "--key", "bad-b"]);
    assert!(
        unasked.status == 1 && unasked.err.contains("--yes"),
        "{}",
        unasked.err
    );
    let unmeant = at(&["dead-letters", "discard", "--yes"]);
    assert!(
        unmeant.status == 1 && unmeant.err.contains("--all"),
        "{}",
        unmeant.err
    );
    let words = [
        "dead-letters",
        "discard",
        "--key",
        "bad-b",
        "--yes",
        "--reason",
        "a test",
    ];
    assert_eq!(at(&words).out, "discarded 1 letter");
    assert_eq!(at(&["dead-letters", "list", "--json"]).json()["open"], 3);
    let again = at(&["dead-letters", "discard", "--id", &of_b[0], "--yes"]).out;
    assert!(
        again.starts_with("nothing to discard") && again.contains("discarded already"),
        "{again}"
    );
    let shown = at(&["dead-letters", "show", &of_b[0]]).out;
    assert!(shown.contains("by ann: a test"), "{shown}");

    steps::edits(&address, &of_a[0]);
    steps::redrives(&address, &of_a);
    steps::imports(&address, &exported, &line);
    steps::refusals(&address);
    others::letters_of_others(&address);
    steps::parked(&address);
}

/// The lane that owns the partition gives redriven records to their handler, in order, and settles their letters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redriven_record_reaches_its_handler_once() {
    let letters = "letters-billing.dead-letters";
    shop::topics(&[
        "letters-bills",
        letters,
        "letters-billing.parked.letters-bills",
    ])
    .await;
    let printer = Arc::new(Printer::default());
    let service = shop::start("letters-billing", Arc::clone(&printer)).await;
    let address = service.address().to_owned();
    let at = |words: &[&str]| {
        let mut command = shop::command(&address, words);
        command.env(shop::SERVICE, "billing");
        shop::answer(command)
    };
    let producer = service.producer().unwrap();
    for number in 1..=3 {
        let customer = "c-1".to_owned();
        producer
            .publish(&BillDue { customer, number })
            .await
            .unwrap();
    }
    eventually("three letters", async || {
        service.status().handlers[0].dead_lettered == 3
    })
    .await;
    // The service was told to write the headers of others too.
    let exported = at(&["dead-letters", "export"]).out;
    let line: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    for header in [
        json!(["kafka_dlt-original-topic", "letters-bills"]),
        json!(["kafka_dlt-exception-message", "no printer"]),
        json!(["__connect.errors.topic", "letters-bills"]),
    ] {
        assert!(
            line["headers"].as_array().unwrap().contains(&header),
            "{line}"
        );
    }
    printer.works.store(true, Ordering::SeqCst);
    let done = at(&["dead-letters", "redrive", "--all", "--json"]).json();
    assert_eq!(done["redriven"], 3, "{done}");
    eventually("three bills", async || {
        printer.sent.lock().unwrap().len() >= 3
    })
    .await;
    let settled = || at(&["dead-letters", "list", "--json"]).json()["open"] == 0;
    eventually("the letters are settled", async || settled()).await;
    let id = done["letters"][0].as_str().unwrap();
    let again = at(&["dead-letters", "redrive", "--id", id]).out;
    assert!(again.contains("it was redriven already"), "{again}");
    let shown = at(&["dead-letters", "show", id]).out;
    assert!(
        shown.contains("redrive-requested") && shown.contains("by letters-billing"),
        "{shown}"
    );
    assert_eq!(at(&["parked", "list"]).out, "nothing is parked");
    service.drain().await;
    let sent = printer.sent.lock().unwrap();
    let numbers: Vec<_> = sent.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // The ids are those of the records.
    let ids = read(&address, "letters-bills", 3);
    let ids: Vec<_> = ids
        .iter()
        .map(|record| record.header("ce_id").unwrap())
        .collect();
    assert_eq!(sent.iter().map(|(_, id)| &**id).collect::<Vec<_>>(), ids);
}
