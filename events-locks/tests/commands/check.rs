//! `contracts check`.

use std::fs;

use events_core::company::Severity;
use events_core::contract::Declaration;
use events_locks::{ContractsCommand, Linked};

use crate::shop::{Shop, check, codes, event, placed};

#[test]
fn every_break_names_reader_writer_rule_and_remedy() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let changed = event(
        "Placed",
        2,
        &[("id", "string"), ("cents", "string"), ("vat", "integer")],
    );
    let outcome = shop.run(&check(), &[changed]).unwrap();
    assert_eq!(codes(&outcome), ["required", "type", "type"]);
    assert_eq!(outcome.status(), 1);
    let text = outcome.to_text();
    let required = "error: [required] Placed: vat: ";
    let both = "a reader of version 2 (this build) cannot read what a writer of version 1 (released) may write";
    assert!(
        text.lines()
            .any(|line| line.starts_with(required) && line.ends_with(both)),
        "{text}"
    );
    assert!(text.contains(
        "a reader of version 1 (released) cannot read what a writer of version 2 (this build)"
    ));
    assert!(
        text.contains("    remedy: keep fields as required or optional")
            && text.contains("at: orders/src/lib.rs:7")
    );
    let json = outcome.to_json();
    assert_eq!(
        (&json["findings"][0]["severity"], &json["status"]),
        (&"error".into(), &1.into())
    );
}

#[test]
fn what_stays_within_one_version_is_told_by_what_it_breaks() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let compatible = event(
        "Placed",
        1,
        &[("id", "string"), ("cents", "integer"), ("vat?", "integer")],
    );
    assert_eq!(
        codes(&shop.run(&check(), &[compatible]).unwrap()),
        ["no-bump"]
    );
    let breaking = event("Placed", 1, &[("id", "string"), ("cents", "string")]);
    let outcome = shop.run(&check(), &[breaking]).unwrap();
    assert_eq!(codes(&outcome), ["no-bump", "type", "type"]);
    assert!(outcome.to_text().contains("version 1 (as it was released)"));
    shop.release(&[event(
        "Placed",
        2,
        &[("id", "string"), ("cents", "integer"), ("vat?", "integer")],
    )]);
    assert_eq!(
        codes(&shop.run(&check(), &[placed()]).unwrap()),
        ["older-version"]
    );
}

#[test]
fn drafts_and_missing_locks_are_said_and_break_nothing() {
    let shop = Shop::open();
    let outcome = shop.run(&check(), &[placed()]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (0, vec!["no-lock"]));
    shop.run(&ContractsCommand::Lock, &[placed()]).unwrap();
    let outcome = shop.run(&check(), &[placed()]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (0, vec!["draft"]));
    let stale = [event("Placed", 1, &[("id", "string")])];
    let outcome = shop.run(&check(), &stale).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (0, vec!["stale-draft"])
    );
    let strict = ContractsCommand::Check {
        against: None,
        retired: Vec::new(),
        deny_warnings: true,
    };
    assert_eq!(shop.run(&strict, &stale).unwrap().status(), 1);
}

#[test]
fn a_deleted_type_is_named_by_its_lock() {
    let shop = Shop::open();
    let sent = event("Sent", 1, &[]);
    shop.release(&[placed(), sent.clone()]);
    let outcome = shop.run(&check(), &[placed()]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (1, vec!["deleted"]));
    assert!(
        outcome.to_text().contains("orders/contracts/Sent.json"),
        "{}",
        outcome.to_text()
    );
    // Also where the crate declares none any more, as long as it is linked.
    let linked = |packages: &[&str]| Linked {
        packages: packages.iter().map(|name| (*name).to_owned()).collect(),
        all: false,
    };
    let of_stock = Declaration {
        package: "stock".to_owned(),
        ..event("Reserved", 1, &[])
    };
    let outcome = shop
        .run_linked(
            &check(),
            std::slice::from_ref(&of_stock),
            &linked(&["orders"]),
        )
        .unwrap();
    assert_eq!(codes(&outcome), ["deleted", "deleted", "no-lock"]);
    let outcome = shop
        .run_linked(&check(), std::slice::from_ref(&of_stock), &linked(&[]))
        .unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (0, vec!["no-lock", "not-linked"])
    );
    // In a directory of all crates it may be another crate's.
    fs::rename(shop.path("orders/contracts"), shop.path("contracts")).unwrap();
    let outcome = shop
        .run_linked(&check(), &[placed()], &linked(&["orders"]))
        .unwrap();
    let severities: Vec<_> = outcome
        .findings()
        .iter()
        .map(|found| found.severity)
        .collect();
    assert_eq!(
        (codes(&outcome), severities),
        (vec!["deleted"], vec![Severity::Warning])
    );
    assert_eq!(shop.run(&check(), &[placed()]).unwrap().status(), 1);
}

#[test]
fn a_lock_that_nobody_looks_at_is_named() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let copy = shop.read("orders/contracts/Placed.json");
    shop.write("orders/contracts/Plcaed.json", copy);
    shop.write("orders/contracts/Stray.json", "{");
    let outcome = shop.run(&check(), &[placed()]).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["misplaced-lock", "unreadable-lock"])
    );
}

#[test]
fn a_build_that_was_not_compared_says_so() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let off = Declaration {
        compared: false,
        ..placed()
    };
    for (declared, said) in [(placed(), false), (off, true)] {
        for command in [check(), ContractsCommand::Lock] {
            let outcome = shop.run(&command, std::slice::from_ref(&declared)).unwrap();
            assert_eq!(outcome.to_text().contains("EVENTS_CONTRACTS=off"), said);
            let names = &outcome.to_json()["not_compared_by_the_compiler"];
            assert_eq!(names.as_array().is_some_and(|names| names.len() == 1), said);
        }
    }
}
