//! `dead-letters` and `parked` on a cluster: the embedded one or the one that KAFKA_BOOTSTRAP_SERVERS names.
//!
//! Most of it is one test: the letters of a group are one log, and each step reads what the one before left there.

mod others;
mod shop;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use shop::{Addresses, BillDue, LETTERS, OrderPlaced, PARKED, Printer, says, told};
use support::read;

async fn until(what: &str, mut met: impl FnMut() -> bool) {
    let wait = async {
        while !met() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .unwrap_or_else(|_| panic!("{what}: not after 30 s"));
}

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
    until("four letters", || {
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

    edits(&address, &of_a[0]);
    redrives(&address, &of_a);
    imports(&address, &exported, &line);
    refusals(&address);
    others::letters_of_others(&address);
    parked(&address);
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
    until("three letters", || {
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
    until("three bills", || printer.sent.lock().unwrap().len() >= 3).await;
    let settled = || at(&["dead-letters", "list", "--json"]).json()["open"] == 0;
    until("the letters are settled", settled).await;
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

/// An edit is compared with the schema, and leaves the original where it is.
fn edits(address: &str, id: &str) {
    let edit = |script: &str| {
        let editor = std::env::temp_dir().join(format!("letters-{}-editor.sh", std::process::id()));
        std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mut command = shop::command(
            address,
            &["dead-letters", "edit", id, "--reason", "typing error"],
        );
        command.env("EDITOR", format!("sh {}", editor.display()));
        let answer = shop::answer(command);
        std::fs::remove_file(editor).unwrap();
        answer
    };
    let none = says(address, &["dead-letters", "edit", id]);
    assert!(
        none.status == 1 && none.err.contains("set EDITOR"),
        "{}",
        none.err
    );
    assert_eq!(edit("true").out, "nothing was changed");
    let wrong = edit("echo '{\"order_id\":\"bad-a\"}' > \"$1\"");
    assert!(
        wrong.status == 1 && wrong.err.contains("the field `number` is missing"),
        "{}",
        wrong.err
    );
    let moved = edit("echo '{\"order_id\":\"bad-z\",\"number\":1}' > \"$1\"");
    assert!(
        moved.status == 1 && moved.err.contains("instead of `bad-a`"),
        "{}",
        moved.err
    );
    let done = edit("echo '{\"order_id\":\"bad-a\",\"number\":11}' > \"$1\"");
    assert!(
        done.status == 0 && done.out.contains("is edited"),
        "{}{}",
        done.out,
        done.err
    );
    let shown = says(address, &["dead-letters", "show", id]).out;
    assert!(
        shown.contains("payload, edited") && shown.contains("\"number\": 11"),
        "{shown}"
    );
    let original = read(address, LETTERS, 4);
    assert!(
        original
            .iter()
            .any(|record| record.value.contains("\"number\":1}")),
        "{original:?}"
    );
}

/// A redrive appends actions, whole keys in order, each once.
fn redrives(address: &str, of_a: &[String]) {
    let at = |words: &[&str]| says(address, words);
    let dry = at(&[
        "dead-letters",
        "redrive",
        "--key",
        "bad-a",
        "--dry-run",
        "--json",
    ])
    .json();
    assert_eq!(
        (&dry["dry_run"], &dry["redriven"]),
        (&json!(true), &json!(2))
    );
    let few = at(&["dead-letters", "redrive", "--key", "bad-a", "--max", "1"]);
    assert!(
        few.status == 1 && few.err.contains("--max 2"),
        "{}",
        few.err
    );
    let words = [
        "dead-letters",
        "redrive",
        "--key",
        "bad-a",
        "--rate",
        "100",
        "--reason",
        "address added",
    ];
    let done = at(&words);
    assert_eq!(
        done.out, "asked for the redrive of 2 letters\n  letters-shipping/ship: 2",
        "{}",
        done.err
    );
    let again = at(&words).out;
    assert!(
        again.starts_with("nothing to redrive") && again.contains("do nothing"),
        "{again}"
    );
    let facts = actions(address, 2);
    let told: Vec<_> = facts
        .iter()
        .map(|fact| fact.header("pk_redrive").unwrap())
        .collect();
    assert_eq!(told, of_a);
    let first = &facts[0];
    assert_eq!(
        first.headers[0],
        ("pk_fact".to_owned(), "action".to_owned())
    );
    assert_eq!(
        first.json(),
        json!({ "order_id": "bad-a", "number": 11 }),
        "the edited payload"
    );
    assert_eq!(facts[1].json(), json!({ "order_id": "bad-a", "number": 4 }));
    for (name, value) in [
        ("pk_action", "redrive"),
        ("pk_handler", "letters-shipping/ship"),
        ("pk_topic", shop::TOPIC),
        ("pk_attempts", "1"),
        ("pk_actor", "ann"),
        ("pk_reason", "address added"),
        ("ce_type", "OrderPlaced"),
    ] {
        assert_eq!(first.header(name), Some(value), "{name}");
    }
    assert_eq!(
        first.header("pk_partition"),
        Some(&*first.partition.to_string())
    );
    assert_eq!(first.header("dl_error"), None);
    let listed = at(&["dead-letters", "list", "--json"]).json();
    assert_eq!(
        (&listed["open"], &listed["groups"][0]["requested"]),
        (&json!(3), &json!(2))
    );
}

/// The redrive actions in the parked log; lanes write facts of their own there.
fn actions(address: &str, count: usize) -> Vec<support::Logged> {
    for all in count..count + 64 {
        let found: Vec<_> = read(address, PARKED, all)
            .into_iter()
            .filter(|fact| fact.header("pk_action") == Some("redrive"))
            .collect();
        if found.len() >= count {
            return found;
        }
    }
    panic!("no {count} actions");
}

/// What was exported comes back once, and a changed line is an edit.
fn imports(address: &str, exported: &str, line: &Value) {
    let import = |text: &str| told(address, &["dead-letters", "import", "-", "--json"], text);
    let counts =
        |new: u32, edited: u32, same: u32| json!({ "new": new, "edited": edited, "same": same });
    assert_eq!(import(exported).json(), counts(0, 0, 1));
    let mut changed = line.clone();
    changed["value"] = json!("{\"order_id\":\"bad-c\",\"number\":55}");
    assert_eq!(import(&changed.to_string()).json(), counts(0, 1, 0));
    let mut wrong = line.clone();
    wrong["value"] = json!("{\"order_id\":\"bad-c\"}");
    let wrong = import(&wrong.to_string());
    assert!(
        wrong.status == 1
            && wrong
                .err
                .contains("line 1: the payload: the field `number`"),
        "{}",
        wrong.err
    );
    let gone = says(
        address,
        &["dead-letters", "discard", "--key", "bad-c", "--yes"],
    );
    assert_eq!(gone.out, "discarded 1 letter", "{}", gone.err);
    assert_eq!(import(exported).json(), counts(1, 0, 0));
    let back = says(
        address,
        &["dead-letters", "list", "--each", "--json", "--key", "bad-c"],
    )
    .json();
    assert_eq!(back["open"], 1);
    assert_ne!(back["letters"][0]["id"], line["id"]);
    assert_eq!(
        back["letters"][0]["origin"],
        says(
            address,
            &[
                "dead-letters",
                "show",
                line["id"].as_str().unwrap(),
                "--json"
            ]
        )
        .json()["letter"]["origin"]
    );
}

/// What cannot be done says what can.
fn refusals(address: &str) {
    for (words, status, remedy) in [
        (
            &["dead-letters", "show", "17"][..],
            2,
            "topic/partition/offset",
        ),
        (
            &[
                "dead-letters",
                "show",
                "letters-shipping.dead-letters/0/999",
            ],
            1,
            "list --each",
        ),
        (
            &["dead-letters", "show", "nowhere/0/0"],
            1,
            "this binary's dead letters are in letters-shipping.dead-letters",
        ),
        (
            &["dead-letters", "list", "--topic", "nowhere"],
            1,
            "there is no topic `nowhere`",
        ),
        (&["dead-letters", "list", "--since", "soon"], 2, "RFC 3339"),
        (&["dead-letters", "redrive"], 1, "--all"),
        (
            &[
                "dead-letters",
                "redrive",
                "--id",
                "letters-shipping.dead-letters/0/999",
            ],
            1,
            "no such letter",
        ),
        (
            &["dead-letters", "import", "/nowhere/at-all"],
            1,
            "cannot be read",
        ),
        (
            &["parked", "list", "--topic", "nowhere"],
            1,
            "no parked topic",
        ),
        (
            &[
                "parked",
                "show",
                "letters-shipping.parked.letters-orders/0/999",
            ],
            1,
            "does not wait",
        ),
        (&["parked", "discard", "--yes"], 1, "--all"),
    ] {
        let answer = says(address, words);
        assert_eq!(
            answer.status, status,
            "{words:?}: {}{}",
            answer.out, answer.err
        );
        assert!(answer.err.contains(remedy), "{words:?}: {}", answer.err);
    }
    let mut nowhere = shop::command(address, &["dead-letters", "list"]);
    nowhere.env_remove("KAFKA_BOOTSTRAP_SERVERS");
    let nowhere = shop::answer(nowhere);
    assert!(
        nowhere.status == 1 && nowhere.err.contains("KAFKA_BOOTSTRAP_SERVERS"),
        "{}",
        nowhere.err
    );
}

/// Redriven records wait until a lane has done them.
fn parked(address: &str) {
    let at = |words: &[&str]| says(address, words);
    let listed = at(&["parked", "list", "--json", "--key", "bad-a"]).json();
    let key = &listed["keys"][0];
    assert_eq!(
        (&key["records"], &key["handler"]),
        (&json!(2), &json!("letters-shipping/ship")),
        "{listed}"
    );
    let id = key["head"]["id"].as_str().unwrap();
    let table = at(&["parked", "list"]).out;
    assert!(
        table.contains("bad-a") && table.contains("order 1 has no address"),
        "{table}"
    );
    let shown = at(&["parked", "show", id]).out;
    for text in [
        "place        0 records before it, 1 behind it",
        "redriven     from letters-shipping.dead-letters/",
        "\"number\": 11",
    ] {
        assert!(shown.contains(text), "{text}:\n{shown}");
    }
    let retry = at(&["parked", "retry-now", "--key", "bad-a"]).out;
    assert!(retry.contains("asked for 1 retry-now"), "{retry}");
    let again = at(&["parked", "retry-now", "--key", "bad-a"]).out;
    assert!(
        again.contains("asked for already: retry-now by ann"),
        "{again}"
    );
    let unasked = at(&["parked", "discard", "--key", "bad-a"]);
    assert!(
        unasked.status == 1 && unasked.err.contains("--yes"),
        "{}",
        unasked.err
    );
    let thrown = at(&["parked", "discard", "--key", "bad-a", "--yes", "--json"]).json();
    assert_eq!(thrown["asked"].as_array().unwrap().len(), 2, "{thrown}");
    let skipped = at(&["parked", "skip-head", "--id", id, "--yes"]).out;
    assert!(skipped.contains("asked for 1 skip-head"), "{skipped}");
}
