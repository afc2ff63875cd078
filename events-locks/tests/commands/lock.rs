//! `contracts lock`.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use events_locks::{ContractsCommand, LocksError};

use crate::shop::{Shop, codes, event, placed, release};

const LOCK: ContractsCommand = ContractsCommand::Lock;

#[test]
fn each_event_gets_a_file_beside_its_crate() {
    let shop = Shop::open();
    let mut of_stock = event("stock/Reserved", 1, &[("id", "string")]);
    of_stock.package = "stock".to_owned();
    let all = [placed(), of_stock];
    let text = shop.run(&LOCK, &all).unwrap().to_text();
    assert!(
        text.contains("created   orders/contracts/Placed.json (version 1)"),
        "{text}"
    );
    assert!(text.contains("2 created, 0 updated, 0 unchanged"), "{text}");
    assert_eq!(
        shop.files("orders/contracts"),
        ["Placed.json"],
        "and no rest of writing"
    );
    assert_eq!(shop.files("stock/contracts"), ["stock%2FReserved.json"]);
    let first = shop.read("orders/contracts/Placed.json");
    let outcome = shop.run(&LOCK, &all).unwrap();
    assert!(
        outcome
            .to_text()
            .contains("0 created, 0 updated, 2 unchanged")
    );
    assert_eq!(shop.read("orders/contracts/Placed.json"), first);
    assert_eq!(outcome.to_json()["locks"][0]["change"], "unchanged");
}

#[test]
fn a_draft_is_written_anew_and_what_was_released_stays() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let released = shop.contract("orders/contracts/Placed.json");
    let wider = |version| {
        event(
            "Placed",
            version,
            &[
                ("id", "string"),
                ("cents", "integer"),
                ("coupon?", "string"),
            ],
        )
    };
    // Changed without a number of its own: nothing is rewritten.
    let outcome = shop.run(&LOCK, &[wider(1)]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (1, vec!["no-bump"]));
    assert_eq!(shop.contract("orders/contracts/Placed.json"), released);
    let outcome = shop.run(&LOCK, &[wider(2)]).unwrap();
    assert!(outcome.status() == 0 && outcome.to_text().contains("updated "));
    let now = shop.contract("orders/contracts/Placed.json");
    assert_eq!(now.version(1), released.version(1));
    assert_eq!(now.version(2).map(|draft| draft.released), Some(false));
}

#[test]
fn a_lock_begins_with_the_version_that_is_first_locked() {
    let shop = Shop::open();
    let third = event("Placed", 3, &[("id", "string")]);
    shop.release(std::slice::from_ref(&third));
    let wider = event("Placed", 4, &[("id", "string"), ("note?", "string")]);
    shop.release(&[wider]);
    let contract = shop.contract("orders/contracts/Placed.json");
    let versions: Vec<_> = contract.released().map(|known| known.version).collect();
    // The graph names readers of what is older: of the versions 1 and 2 nothing is known.
    assert_eq!(versions, [3, 4]);
}

#[test]
fn creating_a_lock_touches_the_declaring_file_and_nothing_else_does() {
    let shop = Shop::open();
    let source = shop.path("orders/src/lib.rs");
    let long_ago = SystemTime::now() - Duration::from_secs(86_400);
    let age = || {
        let open = File::options().append(true).open(&source).unwrap();
        open.set_modified(long_ago).unwrap();
    };
    let is_touched = || fs::metadata(&source).unwrap().modified().unwrap() > long_ago;
    age();
    shop.run(&LOCK, &[placed()]).unwrap();
    assert!(is_touched());
    age();
    shop.run(&LOCK, &[event("Placed", 1, &[("id", "string")])])
        .unwrap();
    assert!(
        !is_touched(),
        "the lock is compiled in, and cargo sees that it changed"
    );
}

#[test]
fn a_lock_is_kept_where_the_event_finds_it() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let text = shop.read("orders/contracts/Placed.json");
    fs::remove_file(shop.path("orders/contracts/Placed.json")).unwrap();
    // Above the crate, at the workspace's top.
    shop.write("contracts/Placed.json", text);
    let text = shop.run(&LOCK, &[placed()]).unwrap().to_text();
    assert!(text.contains("unchanged contracts/Placed.json"), "{text}");
    // Where the option says it, from the declaring file.
    let elsewhere = events_core::contract::Declaration {
        lock: Some("../locked/placed.json".to_owned()),
        ..placed()
    };
    let text = shop.run(&LOCK, &[elsewhere]).unwrap().to_text();
    assert!(
        text.contains("created   orders/locked/placed.json"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_all_named_and_nothing_is_written() {
    let shop = Shop::open();
    shop.release(&[placed(), event("Paid", 1, &[]), event("Sent", 1, &[])]);
    let whole = shop.read("orders/contracts/Placed.json");
    let bad = [
        (
            "Placed",
            whole.as_bytes()[..99].to_vec(),
            "cannot be read (EOF",
        ),
        (
            "Paid",
            format!("<<<<<<< HEAD\n{whole}").into_bytes(),
            "merge markers (line 1)",
        ),
        ("Sent", [whole.as_bytes(), b"\xff"].concat(), "not UTF-8"),
        (
            "Newer",
            whole.replace("\"format\": 1", "\"format\": 2").into_bytes(),
            "has format 2",
        ),
        (
            "Other",
            whole.into_bytes(),
            "is of the event `Placed`, not of `Other`",
        ),
    ];
    let mut all = vec![event("Fresh", 1, &[])];
    for (name, content, _) in &bad {
        shop.write(&format!("orders/contracts/{name}.json"), content);
        all.push(event(name, 1, &[]));
    }
    for command in [LOCK, release(&[]), crate::shop::check()] {
        let outcome = shop.run(&command, &all).unwrap();
        let text = outcome.to_text();
        assert_eq!(outcome.status(), 1, "{text}");
        for (name, _, why) in &bad {
            let line = text
                .lines()
                .find(|line| line.contains(&format!("orders/contracts/{name}.json")));
            assert!(line.is_some_and(|line| line.contains(why)), "{why}: {text}");
        }
        assert!(
            text.contains("update events-core") && text.contains("take the side"),
            "{text}"
        );
        assert!(!shop.path("orders/contracts/Fresh.json").exists());
    }
}

#[test]
fn two_events_never_share_a_file() {
    let shop = Shop::open();
    for other in ["placed", "Placed"] {
        let outcome = shop.run(&LOCK, &[placed(), event(other, 1, &[])]).unwrap();
        assert_eq!(
            (outcome.status(), codes(&outcome)),
            (1, vec!["shared-lock"])
        );
        assert!(shop.files("orders/contracts").is_empty());
    }
}

#[test]
fn events_of_other_workspaces_are_theirs() {
    let shop = Shop::open();
    let mut other = placed();
    other.package = "published".to_owned();
    let outcome = shop
        .run(&LOCK, &[event("Paid", 1, &[]), other.clone()])
        .unwrap();
    assert!(
        outcome
            .to_text()
            .starts_with("created   orders/contracts/Paid.json")
    );
    let error = shop.run(&LOCK, &[other]).unwrap_err();
    assert!(
        matches!(error, LocksError::NothingOfOurs { linked: 1, .. }),
        "{error}"
    );
    let nowhere = tempfile::tempdir().unwrap();
    let error = events_locks::Shelves::open(nowhere.path(), Vec::new()).unwrap_err();
    assert!(error.to_string().contains("in the workspace"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_lock_that_cannot_be_written_is_left_as_it_was() {
    let shop = Shop::open();
    shop.run(&LOCK, &[placed()]).unwrap();
    let before = shop.read("orders/contracts/Placed.json");
    // Where the new text would be put first there is a directory already: whoever the user is, that fails.
    let beside = format!("orders/contracts/.Placed.json.{}.new/x", std::process::id());
    shop.write(&beside, "");
    let error = shop
        .run(&LOCK, &[event("Placed", 1, &[("id", "string")])])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("what was there before is still there"),
        "{error}"
    );
    assert_eq!(shop.read("orders/contracts/Placed.json"), before);
}
