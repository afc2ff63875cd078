//! The steps of the long test, in the order in which they build on one another.

use serde_json::{Value, json};

use crate::shop::{self, LETTERS, PARKED, says, told};
use crate::support::{self, read};

/// An edit is compared with the schema, and leaves the original where it is.
pub(crate) fn edits(address: &str, id: &str) {
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
pub(crate) fn redrives(address: &str, of_a: &[String]) {
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
pub(crate) fn imports(address: &str, exported: &str, line: &Value) {
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
pub(crate) fn refusals(address: &str) {
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
pub(crate) fn parked(address: &str) {
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
        "it fits its schema",
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
