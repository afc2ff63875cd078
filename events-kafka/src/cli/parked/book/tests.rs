//! What counts, and what waits.

use super::super::samples::{action, claim, done, failed, parked, redrive, take_over};
use super::*;
use crate::cli::letters::samples::Sample;

fn waiting(hint: Option<&str>, records: &[Sample]) -> Vec<(String, Vec<i64>)> {
    let mut book = Book::new();
    let hint = hint.map(|metadata| Committed {
        offset: 0,
        metadata: metadata.to_owned(),
    });
    book.begin(&"shipping.parked.orders".into(), 3, hint.as_ref());
    records
        .iter()
        .try_for_each(|record| book.add(record))
        .unwrap();
    let lines = book.finish();
    let line = |line: &Line| {
        let key = line.head().key.as_deref().unwrap_or_default();
        let offsets = line.entries.iter().map(|entry| entry.id.offset);
        (String::from_utf8_lossy(key).into_owned(), offsets.collect())
    };
    lines.iter().map(line).collect()
}

fn line(key: &str, offsets: &[i64]) -> (String, Vec<i64>) {
    (key.to_owned(), offsets.to_vec())
}

#[test]
fn what_is_not_done_waits_in_order() {
    let facts = [
        claim(0, 1, "a"),
        parked(1, "a", "k", 10),
        parked(2, "a", "l", 11),
        parked(3, "a", "k", 12),
        done(4, "a", 2),
        redrive(5, "k", "shipping.dead-letters/0/7"),
    ];
    assert_eq!(waiting(None, &facts), [line("k", &[1, 3, 5])]);
}

#[test]
fn facts_count_by_the_newest_claim_alone() {
    let facts = [
        claim(0, 2, "a"),
        parked(1, "a", "k", 10),
        // Of a lower generation, so of a zombie.
        claim(2, 1, "z"),
        parked(3, "z", "k", 11),
        done(4, "z", 1),
        claim(5, 3, "b"),
        done(6, "a", 1),
        parked(7, "b", "k", 11),
    ];
    assert_eq!(waiting(None, &facts), [line("k", &[1, 7])]);
}

#[test]
fn behind_a_hint_its_claim_is_in_force() {
    let facts = [parked(1, "z", "k", 10), parked(2, "a", "k", 10)];
    assert_eq!(waiting(Some("4:a"), &facts), [line("k", &[2])]);
    // Without one the first token counts.
    assert_eq!(waiting(None, &facts), [line("k", &[1])]);
}

#[test]
fn a_claim_of_a_group_that_is_gone_keeps_later_ones_from_counting() {
    let said = |hint: Option<&str>, facts: &[Sample]| {
        let mut book = Book::new();
        let hint = hint.map(|metadata| Committed {
            offset: 0,
            metadata: metadata.to_owned(),
        });
        book.begin(&"shipping.parked.orders".into(), 3, hint.as_ref());
        facts.iter().try_for_each(|fact| book.add(fact)).unwrap();
        let claims = book.outranking();
        claims
            .filter_map(|claim| Some((claim.generation, claim.token.to_owned(), claim.outranked?)))
            .collect::<Vec<_>>()
    };
    let mut facts = vec![claim(0, 500, "a"), claim(1, 1, "b"), claim(2, 2, "c")];
    assert_eq!(said(None, &facts), [(500, "a".to_owned(), 2)]);
    // A group that has committed is there, so its later claim is a zombie's.
    assert_eq!(said(Some("500:a"), &facts), []);
    facts.push(take_over(3, "a"));
    assert_eq!(said(None, &facts), []);
    facts.extend([claim(4, 2, "c"), parked(5, "c", "k", 10)]);
    assert_eq!(said(None, &facts), []);
    assert_eq!(waiting(None, &facts), [line("k", &[5])]);
}

#[test]
fn of_several_copies_the_first_counts() {
    let letter = "shipping.dead-letters/0/7";
    let facts = [
        claim(0, 1, "a"),
        parked(1, "a", "k", 10),
        parked(2, "a", "k", 10),
        redrive(3, "k", letter),
        redrive(4, "k", letter),
        done(5, "a", 1),
        parked(6, "a", "k", 10),
    ];
    assert_eq!(waiting(None, &facts), [line("k", &[3])]);
}

#[test]
fn a_record_of_a_topic_that_was_made_anew_is_no_copy() {
    let mut again = parked(2, "a", "k", 10);
    again.timestamp = 2_000;
    let facts = [claim(0, 1, "a"), parked(1, "a", "k", 10), again];
    assert_eq!(waiting(None, &facts), [line("k", &[1, 2])]);
}

#[test]
fn of_two_letters_of_a_record_one_is_redriven_at_a_time() {
    let mut facts = vec![
        claim(0, 1, "a"),
        redrive(1, "k", "shipping.dead-letters/0/7"),
        redrive(2, "k", "shipping.dead-letters/0/8"),
    ];
    assert_eq!(waiting(None, &facts), [line("k", &[1])]);
    facts.extend([
        done(3, "a", 1),
        redrive(4, "k", "shipping.dead-letters/0/9"),
    ]);
    assert_eq!(waiting(None, &facts), [line("k", &[4])]);
}

#[test]
fn an_entry_knows_how_it_stands() {
    let mut book = Book::new();
    for fact in [
        claim(0, 1, "a"),
        parked(1, "a", "k", 10),
        failed(2, "a", 1, 9),
        action(3, "retry-now", 1),
    ] {
        book.add(&fact).unwrap();
    }
    let lines = book.finish();
    let head = lines[0].head();
    assert_eq!(
        (head.attempts, head.next, &*head.error),
        (9, 900, "no stock")
    );
    assert_eq!(
        head.asked.as_deref(),
        Some("retry-now by ann: address added")
    );
}

#[test]
fn no_more_is_kept_than_is_allowed() {
    let mut book = Book::new();
    book.most = 1;
    book.add(&parked(1, "a", "k", 10)).unwrap();
    let said = book.add(&parked(2, "a", "l", 11)).unwrap_err().to_string();
    assert!(said.contains("--topic"), "{said}");
}
