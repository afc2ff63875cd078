//! `contracts check --against`.

use std::fs;

use events_core::contract::Declaration;
use events_locks::{ContractsCommand, LocksError};

use crate::shop::{Shop, against, check, codes, event, placed};

fn wider(version: u32) -> Declaration {
    event(
        "Placed",
        version,
        &[
            ("id", "string"),
            ("cents", "integer"),
            ("coupon?", "string"),
        ],
    )
}

fn narrower() -> Declaration {
    event("Placed", 1, &[("id", "string")])
}

/// A released event, committed.
fn committed() -> Shop {
    let shop = Shop::open();
    shop.release(&[placed()]);
    shop.commit();
    shop
}

#[test]
fn what_was_not_changed_and_what_is_compatible_pass() {
    let shop = committed();
    assert_eq!(
        shop.run(&against("HEAD", &[]), &[placed()])
            .unwrap()
            .status(),
        0
    );
    shop.release(&[wider(2), event("Paid", 1, &[])]);
    let outcome = shop
        .run(&against("main", &[]), &[wider(2), event("Paid", 1, &[])])
        .unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (0, Vec::new()),
        "{}",
        outcome.to_text()
    );
    assert_eq!(outcome.to_json()["against"], "main");
}

#[test]
fn a_lock_that_was_rewritten_with_the_type_hides_nothing() {
    let shop = committed();
    fs::remove_file(shop.path("orders/contracts/Placed.json")).unwrap();
    shop.release(&[narrower()]);
    assert_eq!(
        shop.run(&check(), &[narrower()]).unwrap().status(),
        0,
        "alone, the lock proves nothing"
    );
    let outcome = shop.run(&against("HEAD", &[]), &[narrower()]).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["lock-rewritten", "no-bump", "required"])
    );
    let text = outcome.to_text();
    assert!(
        text.contains("version 1 was released at HEAD")
            && text.contains("git checkout HEAD -- orders/contracts/Placed.json"),
        "{text}"
    );
    assert!(text.contains("a reader of version 1 (as it was released) cannot read what a writer of version 1 (this build)"));
}

#[test]
fn a_release_that_is_lost_is_named() {
    let shop = committed();
    // Called a draft again, and so free to change.
    let text = shop.read("orders/contracts/Placed.json");
    shop.write(
        "orders/contracts/Placed.json",
        text.replace("\"released\": true", "\"released\": false"),
    );
    let outcome = shop.run(&against("HEAD", &[]), &[placed()]).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["draft", "lock-lost"])
    );
    fs::remove_file(shop.path("orders/contracts/Placed.json")).unwrap();
    let outcome = shop.run(&against("HEAD", &[]), &[placed()]).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["lock-lost", "no-lock"])
    );
    shop.run(&ContractsCommand::Lock, &[wider(2)]).unwrap();
    let outcome = shop.run(&against("HEAD", &[]), &[wider(2)]).unwrap();
    assert_eq!(codes(&outcome), ["draft", "lock-lost"]);
}

#[test]
fn a_breach_is_told_once() {
    let shop = committed();
    let breaking = event("Placed", 2, &[("id", "string"), ("cents", "string")]);
    let outcome = shop.run(&against("HEAD", &[]), &[breaking]).unwrap();
    assert_eq!(codes(&outcome), ["type", "type"]);
}

#[test]
fn a_type_that_goes_with_its_lock_is_missed_unless_it_is_retired() {
    let shop = Shop::open();
    let sent = event("Sent", 1, &[]);
    shop.release(&[placed(), sent]);
    shop.commit();
    fs::remove_file(shop.path("orders/contracts/Sent.json")).unwrap();
    assert_eq!(shop.run(&check(), &[placed()]).unwrap().status(), 0);
    let outcome = shop.run(&against("HEAD", &[]), &[placed()]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (1, vec!["deleted"]));
    assert!(
        outcome.to_text().contains("--retired Sent"),
        "{}",
        outcome.to_text()
    );
    assert_eq!(
        shop.run(&against("HEAD", &["Sent"]), &[placed()])
            .unwrap()
            .status(),
        0
    );
}

#[test]
fn a_type_that_goes_is_missed_though_its_lock_stays_as_a_draft() {
    let sent = event("Sent", 1, &[]);
    // Beside its crate, and where several crates have theirs.
    for shelf in ["orders/contracts", "contracts"] {
        let shop = Shop::open();
        shop.release(&[placed(), sent.clone()]);
        if shelf == "contracts" {
            fs::rename(shop.path("orders/contracts"), shop.path(shelf)).unwrap();
        }
        shop.commit();
        let file = format!("{shelf}/Sent.json");
        let whole = shop.read(&file);
        let run = |retired: &[&str]| {
            let outcome = shop.run(&against("HEAD", retired), &[placed()]).unwrap();
            (outcome.status(), codes(&outcome), outcome.to_text())
        };
        let (status, codes, text) = run(&[]);
        assert_eq!((status, codes), (1, vec!["deleted"]), "{text}");

        shop.write(
            &file,
            whole.replace("\"released\": true", "\"released\": false"),
        );
        let (status, codes, text) = run(&[]);
        assert_eq!((status, codes), (1, vec!["deleted", "lock-lost"]), "{text}");
        assert!(
            text.contains("error: [lock-lost] Sent: version 1 was released at HEAD"),
            "{text}"
        );
        let (status, codes, text) = run(&["Sent"]);
        assert_eq!((status, codes), (0, vec!["deleted"]), "{text}");

        // Another event in its file.
        let paid = shop.contract(&format!("{shelf}/Placed.json")).write();
        shop.write(&file, paid.replace("\"Placed\"", "\"Paid\""));
        let (status, _, text) = run(&[]);
        assert!(
            status == 1 && text.contains("error: [deleted] Sent: version 1 was released at HEAD"),
            "{text}"
        );
    }
}

#[test]
fn an_event_is_known_again_in_a_crate_that_moved() {
    let shop = committed();
    fs::rename(shop.path("orders"), shop.path("sales")).unwrap();
    shop.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"sales\", \"stock\"]\n",
    );
    assert_eq!(
        shop.run(&against("HEAD", &[]), &[placed()])
            .unwrap()
            .status(),
        0
    );
    fs::remove_file(shop.path("sales/contracts/Placed.json")).unwrap();
    shop.release(&[narrower()]);
    let outcome = shop.run(&against("HEAD", &[]), &[narrower()]).unwrap();
    assert_eq!(codes(&outcome), ["lock-rewritten", "no-bump", "required"]);
}

/// An event whose lock lies where its option says.
fn elsewhere() -> Declaration {
    Declaration {
        lock: Some("../locked/placed.lock".to_owned()),
        ..placed()
    }
}

const ELSEWHERE: &str = "orders/locked/placed.lock";

#[test]
fn a_lock_that_an_option_names_is_known_again_where_it_went() {
    for stays in [false, true] {
        let shop = Shop::open();
        shop.write(
            "orders/src/lib.rs",
            "#[event(lock = \"../locked/placed.lock\")] struct Placed;",
        );
        shop.release(&[elsewhere()]);
        shop.commit();
        let outcome = shop.run(&against("HEAD", &[]), &[elsewhere()]).unwrap();
        assert_eq!(outcome.status(), 0, "{}", outcome.to_text());

        // Written anew where locks are looked for.
        if !stays {
            fs::remove_file(shop.path(ELSEWHERE)).unwrap();
        }
        shop.write("orders/src/lib.rs", "#[event] struct Placed;");
        shop.release(&[narrower()]);
        let outcome = shop.run(&against("HEAD", &[]), &[narrower()]).unwrap();
        assert_eq!(
            (outcome.status(), codes(&outcome)),
            (1, vec!["lock-rewritten", "no-bump", "required"]),
            "{}",
            outcome.to_text()
        );

        // The type went: with its lock, or without.
        shop.write("orders/src/lib.rs", "");
        fs::remove_dir_all(shop.path("orders/contracts")).unwrap();
        let outcome = shop.run(&against("HEAD", &[]), &[]).unwrap();
        assert_eq!(
            (outcome.status(), codes(&outcome)),
            (1, vec!["deleted"]),
            "{}",
            outcome.to_text()
        );
        let outcome = shop.run(&against("HEAD", &["Placed"]), &[]).unwrap();
        assert_eq!(outcome.status(), 0, "{}", outcome.to_text());
    }
}

#[test]
fn what_only_looks_like_a_lock_is_none() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let text = shop.read("orders/contracts/Placed.json");
    let other = text.replace("\"Placed\"", "\"Sample\"");
    // A page's sample, a case of a test that changes, and what cannot be read.
    shop.write("orders/docs/sample.json", &other);
    shop.write("orders/tests/locks/Sample.json", &other);
    shop.write("orders/docs/half.json", &other[..other.len() / 2]);
    shop.commit();
    shop.write("orders/tests/locks/Sample.json", "{}");
    shop.write("orders/docs/half.json", "{}");
    let outcome = shop.run(&against("HEAD", &[]), &[placed()]).unwrap();
    assert_eq!(outcome.status(), 0, "{}", outcome.to_text());
}

#[test]
fn what_git_cannot_say_is_an_error_that_says_why() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let run = |revision: &str| shop.run(&against(revision, &[]), &[placed()]);
    let error = run("HEAD").unwrap_err();
    assert!(
        matches!(error, LocksError::NotARepository { .. }),
        "{error}"
    );
    shop.git(&["init", "--quiet"]);
    let error = run("HEAD").unwrap_err();
    assert!(
        matches!(error, LocksError::UnknownRevision { .. }),
        "no commit yet: {error}"
    );
    shop.commit();
    for revision in ["v9", "--help", "HEAD:orders", "", "a b"] {
        let error = run(revision).unwrap_err();
        assert!(
            matches!(&error, LocksError::UnknownRevision { revision: told } if told == revision),
            "{revision}: {error}"
        );
    }
}

#[test]
fn a_lock_that_was_broken_then_is_named() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let whole = shop.read("orders/contracts/Placed.json");
    shop.write(
        "orders/contracts/Placed.json",
        [whole.as_bytes(), b"\xff"].concat(),
    );
    shop.commit();
    shop.write("orders/contracts/Placed.json", whole);
    let outcome = shop.run(&against("HEAD", &[]), &[placed()]).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["unreadable-lock"])
    );
    assert!(
        outcome
            .to_text()
            .contains("at HEAD: orders/contracts/Placed.json is not UTF-8")
    );
}
