//! `contracts release`.

use events_locks::{ContractsCommand, LocksError};

use crate::shop::{Shop, codes, event, placed, release};

fn is_released(shop: &Shop, event: &str, version: u32) -> bool {
    let contract = shop.contract(&format!("orders/contracts/{event}.json"));
    contract
        .version(version)
        .is_some_and(|known| known.released)
}

#[test]
fn drafts_are_frozen_those_that_are_named_or_all() {
    let shop = Shop::open();
    let all = [placed(), event("Paid", 1, &[])];
    shop.run(&ContractsCommand::Lock, &all).unwrap();
    let outcome = shop.run(&release(&["Paid"]), &all).unwrap();
    assert!(
        outcome.status() == 0
            && outcome
                .to_text()
                .contains("released  orders/contracts/Paid.json")
    );
    assert!(is_released(&shop, "Paid", 1) && !is_released(&shop, "Placed", 1));
    let text = shop.run(&release(&[]), &all).unwrap().to_text();
    assert!(text.contains("1 released, of 2 events"), "{text}");
    assert!(is_released(&shop, "Placed", 1));
    let error = shop.run(&release(&["Paied"]), &all).unwrap_err();
    assert!(
        matches!(&error, LocksError::UnknownEvent { known, .. } if known == "Paid, Placed"),
        "{error}"
    );
}

#[test]
fn what_breaks_a_reader_is_not_released_and_nothing_else_is() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let breaking = event("Placed", 2, &[("id", "string"), ("cents", "string")]);
    let all = [breaking, event("Paid", 1, &[])];
    shop.run(&ContractsCommand::Lock, &all).unwrap();
    let outcome = shop.run(&release(&[]), &all).unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["type", "type"])
    );
    assert!(!is_released(&shop, "Placed", 2) && !is_released(&shop, "Paid", 1));
    assert_eq!(shop.run(&release(&["Paid"]), &all).unwrap().status(), 0);
    assert!(is_released(&shop, "Paid", 1));
}

#[test]
fn a_change_without_a_bump_and_what_nobody_has_seen_are_refused() {
    let shop = Shop::open();
    shop.release(&[placed()]);
    let unbumped = event(
        "Placed",
        1,
        &[
            ("id", "string"),
            ("cents", "integer"),
            ("coupon?", "string"),
        ],
    );
    let outcome = shop.run(&release(&[]), &[unbumped]).unwrap();
    assert_eq!((outcome.status(), codes(&outcome)), (1, vec!["no-bump"]));
    // No lock, and one that is not what the build writes.
    let outcome = shop
        .run(&release(&["Paid"]), &[placed(), event("Paid", 1, &[])])
        .unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["stale-draft"])
    );
    shop.run(
        &ContractsCommand::Lock,
        &[event("Paid", 1, &[("id?", "string")])],
    )
    .unwrap();
    let outcome = shop
        .run(&release(&["Paid"]), &[event("Paid", 1, &[])])
        .unwrap();
    assert_eq!(
        (outcome.status(), codes(&outcome)),
        (1, vec!["stale-draft"])
    );
    assert!(!is_released(&shop, "Paid", 1));
}
