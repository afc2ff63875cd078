//! The rules of the log, one by one.

use super::*;

const KEY: u64 = 7;

fn pair() -> Pair {
    Pair {
        handler: 1,
        key: KEY,
    }
}

fn item(origin: i64) -> Item<i64> {
    Item {
        identity: Identity::Origin(1, origin, 0),
        pair: pair(),
        redriven: None,
        runnable: true,
        attempts: 1,
        next: 0,
        error: None,
        size: 1,
        payload: origin,
    }
}

fn redrive(id: &str) -> Item<i64> {
    Item {
        identity: Identity::Redrive(id.into()),
        ..item(-1)
    }
}

fn claim(generation: i64, token: &str) -> Fact<i64> {
    Fact::Claim(Claim {
        generation,
        token: token.to_owned(),
    })
}

fn parked(token: &str, origin: i64) -> Fact<i64> {
    Fact::Parked(token.to_owned(), item(origin))
}

fn done(token: &str, at: i64) -> Fact<i64> {
    Fact::Done {
        token: token.to_owned(),
        at,
    }
}

/// The ledger of lane `c` after it has read the log.
fn read(log: Vec<Fact<i64>>) -> Ledger<i64> {
    let mut ledger = Ledger::new(0, None, "c".to_owned(), Bounds::per_pair(100));
    for (offset, fact) in log.into_iter().enumerate() {
        let _ = ledger.read(offset as i64, fact);
    }
    ledger
}

fn open(ledger: &Ledger<i64>) -> Vec<i64> {
    ledger.open().map(|(_, open)| open.payload).collect()
}

#[test]
fn facts_count_only_with_the_token_of_the_newest_claim() {
    let ledger = read(vec![
        claim(1, "a"),
        parked("a", 10),
        claim(2, "b"),
        parked("a", 11),
        done("a", 1),
        parked("b", 12),
        claim(1, "z"),
        parked("z", 13),
        parked("b", 14),
    ]);
    assert_eq!(open(&ledger), [10, 12, 14]);
}

#[test]
fn without_a_claim_the_first_token_counts() {
    let ledger = read(vec![parked("a", 1), parked("b", 2), done("b", 0)]);
    assert_eq!(open(&ledger), [1]);
}

#[test]
fn of_several_copies_the_first_counts() {
    let ledger = read(vec![
        claim(1, "a"),
        parked("a", 1),
        parked("a", 1),
        done("a", 1),
        parked("a", 1),
        claim(2, "c"),
    ]);
    assert_eq!(ledger.len(), 0);
    assert_eq!(
        ledger.copy(1, 1, || 0),
        Copy::Same,
        "a finished copy counts too"
    );
    assert_eq!(
        ledger.copy(2, 1, || 0),
        Copy::None,
        "another handler has its own"
    );
}

#[test]
fn a_later_claim_fences() {
    let mut ledger = read(vec![claim(1, "a"), claim(2, "c")]);
    assert_eq!(*ledger.standing(), Standing::Owner);
    let _ = ledger.read(2, claim(1, "z"));
    assert_eq!(*ledger.standing(), Standing::Owner);
    let _ = ledger.read(3, claim(2, "d"));
    assert_eq!(*ledger.standing(), Standing::Fenced(2));
    let late = read(vec![claim(5, "a"), claim(4, "c")]);
    assert_eq!(*late.standing(), Standing::Outranked(5));
}

fn take_over(token: &str) -> Fact<i64> {
    Fact::TakeOver {
        token: token.to_owned(),
    }
}

#[test]
fn a_claim_of_a_group_that_is_gone_can_be_given_up() {
    let mut log = vec![
        claim(500, "a"),
        parked("a", 10),
        claim(1, "c"),
        // Too late, so it does not count; nor does what it wrote.
        parked("c", 11),
        take_over("z"),
    ];
    assert_eq!(*read(log.clone()).standing(), Standing::Outranked(500));
    log.push(take_over("a"));
    assert_eq!(*read(log.clone()).standing(), Standing::Claiming);
    log.extend([claim(1, "c"), parked("a", 12), parked("c", 13)]);
    // Given up already: the claim in force is another.
    log.extend([take_over("a"), claim(0, "z"), parked("z", 14)]);
    let mut ledger = read(log.clone());
    assert_eq!(*ledger.standing(), Standing::Owner);
    assert_eq!(open(&ledger), [10, 13]);
    // Whoever begins at the hint comes to the same.
    let (hint, claim) = ledger.hint(10, |_| true);
    assert_eq!(
        (hint, claim.as_ref().map(|claim| claim.generation)),
        (1, Some(500))
    );
    let mut late = Ledger::new(hint, claim, "d".to_owned(), Bounds::per_pair(100));
    for (offset, fact) in log.into_iter().enumerate().skip(1) {
        let _ = late.read(offset as i64, fact);
    }
    assert_eq!(open(&late), [10, 13]);
}

#[test]
fn whoever_was_fenced_does_not_claim_again() {
    let ledger = read(vec![claim(1, "c"), claim(2, "d"), take_over("d")]);
    assert_eq!(*ledger.standing(), Standing::Fenced(2));
}

#[test]
fn a_redrive_is_exempt_from_the_token_and_unique() {
    let mut ledger = read(vec![
        claim(1, "c"),
        Fact::Redrive(redrive("dead/0/3")),
        parked("c", 5),
        Fact::Redrive(redrive("dead/0/3")),
    ]);
    assert_eq!(open(&ledger), [-1, 5]);
    ledger.finish(1);
    let again = ledger.read(4, Fact::Redrive(redrive("dead/0/3")));
    assert!(again.is_err());
    assert_eq!(open(&ledger), [5]);
}

#[test]
fn of_two_letters_of_a_record_one_is_redriven_at_a_time() {
    let letter = |id: &str, offset| {
        Fact::Redrive(Item {
            redriven: Some(offset),
            ..redrive(id)
        })
    };
    let mut ledger = read(vec![
        claim(1, "c"),
        letter("dead/0/3", 10),
        letter("dead/0/4", 10),
        letter("dead/0/5", 11),
    ]);
    assert_eq!(ledger.len(), 2);
    assert_eq!(ledger.redriven_at("dead/0/4"), None);
    // It failed again, so there is a new letter.
    ledger.finish(1);
    assert!(ledger.read(4, letter("dead/0/9", 10)).is_ok());
    assert_eq!(ledger.len(), 2);
}

#[test]
fn one_record_of_a_pair_is_under_way_at_a_time() {
    let mut ledger = read(vec![claim(1, "c"), parked("c", 1), parked("c", 2)]);
    assert_eq!(ledger.take_due(0, |_, _| false), Some(1));
    assert_eq!(ledger.take_due(0, |_, _| false), None);
    ledger.failed(3, 1, 2, 500, "again".to_owned());
    ledger.rest(1);
    assert_eq!(
        (ledger.take_due(499, |_, _| false), ledger.next_due()),
        (None, Some(500))
    );
    assert_eq!(ledger.take_due(500, |_, _| false), Some(1));
    ledger.finish(1);
    assert_eq!(ledger.take_due(500, |_, _| false), Some(2));
}

/// Acknowledgements may run ahead of what is read back by more than one attempt.
#[test]
fn an_earlier_failure_that_is_read_later_does_not_count() {
    let failed = |attempts, next| Fact::Failed {
        token: "c".to_owned(),
        at: 1,
        attempts,
        next,
        error: String::new(),
    };
    let mut ledger = read(vec![claim(1, "c"), parked("c", 1)]);
    for (offset, attempts, next) in [(2, 2, 100), (3, 3, 200)] {
        assert_eq!(ledger.take_due(next, |_, _| false), Some(1));
        ledger.failed(offset, 1, attempts, next + 100, String::new());
        ledger.rest(1);
    }
    let stands = |ledger: &Ledger<i64>| {
        let open = ledger.get(1).expect("it is open");
        (open.attempts, ledger.next_due())
    };
    assert_eq!(stands(&ledger), (3, Some(300)));
    for (offset, fact) in [(2, failed(2, 200)), (3, failed(3, 300))] {
        ledger.read(offset, fact).expect("it counts");
        assert_eq!(
            stands(&ledger),
            (3, Some(300)),
            "as the last attempt left it"
        );
    }
}

#[test]
fn orders_concern_what_is_open_alone() {
    let skip = |at| Fact::Order {
        at,
        order: Order::Skip("by hand".to_owned()),
    };
    let discard = |at| Fact::Order {
        at,
        order: Order::Discard("by hand".to_owned()),
    };
    let mut ledger = read(vec![
        claim(1, "c"),
        parked("c", 1),
        parked("c", 2),
        skip(2),
        discard(2),
        skip(1),
    ]);
    assert_eq!(
        ledger.take_due(9, |_, _| false),
        None,
        "the head is under an order"
    );
    assert_eq!(
        (ledger.take_order(), ledger.take_order()),
        (Some(1), Some(2))
    );
    assert!(matches!(
        ledger.get(2).and_then(|open| open.order.as_ref()),
        Some(Order::Discard(_))
    ));
    ledger.finish(1);
    ledger.finish(2);
    assert!(ledger.read(6, discard(1)).is_err());
    assert_eq!(ledger.take_order(), None);
}

#[test]
fn retry_now_is_overruled_by_a_later_failure() {
    let failed = |next| Fact::Failed {
        token: "c".to_owned(),
        at: 1,
        attempts: 2,
        next,
        error: String::new(),
    };
    let log = vec![
        claim(1, "c"),
        parked("c", 1),
        failed(900),
        Fact::RetryNow(pair()),
    ];
    assert_eq!(read(log.clone()).next_due(), Some(i64::MIN));
    let later = log.into_iter().chain([failed(950)]).collect();
    assert_eq!(read(later).next_due(), Some(950));
}

#[test]
fn the_hint_keeps_what_may_come_again() {
    let mut ledger = read(vec![
        claim(1, "c"),
        parked("c", 10),
        done("c", 1),
        parked("c", 11),
        parked("c", 10),
    ]);
    // Its source record may come again.
    assert_eq!(ledger.hint(10, |_| false).0, 1);
    // A copy of it would be taken for the first.
    assert_eq!(ledger.hint(11, |_| false).0, 1);
    ledger.finish(3);
    assert_eq!(ledger.hint(11, |_| true).0, 1);
    let (hint, claim) = ledger.hint(12, |_| false);
    assert_eq!(
        (hint, claim.map(|claim| claim.token)),
        (5, Some("c".to_owned()))
    );
}

#[test]
fn the_hint_keeps_what_the_source_may_bring_again() {
    let log = || vec![claim(1, "c"), parked("c", 10), done("c", 1)];
    assert_eq!(read(log()).hint(10, |_| false).0, 1);
    assert_eq!(read(log()).hint(11, |_| false).0, 3);
}

#[test]
fn what_is_done_behind_an_open_record_is_forgotten_unless_it_may_come_again() {
    let mut ledger = read(vec![
        claim(1, "c"),
        parked("c", 10),
        parked("c", 11),
        parked("c", 12),
        parked("c", 13),
        parked("c", 14),
        parked("c", 12),
        Fact::Redrive(redrive("dead/0/3")),
    ]);
    for at in [2, 3, 4, 5, 7] {
        ledger.finish(at);
    }
    // 14 may come again, 13 is on its way, and 12 stands there twice.
    ledger.forget(14, |_, origin| origin == 13);
    let known = |ledger: &Ledger<i64>| {
        let finished = ledger.finished.keys().copied();
        (finished.collect::<Vec<_>>(), ledger.copies.len())
    };
    assert_eq!(
        known(&ledger),
        (vec![3, 4, 5], 5),
        "with the open one and the redrive"
    );
    assert!(ledger.read(8, Fact::Redrive(redrive("dead/0/3"))).is_err());
    assert_eq!(open(&ledger), [10]);
    // Once 10 is done the hint must stay below both of the redrives, and below both copies of 12.
    ledger.finish(1);
    assert_eq!(ledger.hint(15, |_| false).0, 9);
    // So it does while a record between the two is open.
    let mut ledger = read(vec![claim(1, "c"), Fact::Redrive(redrive("dead/0/3"))]);
    ledger.finish(1);
    ledger.forget(20, |_, _| false);
    let _ = ledger.read(2, parked("c", 10));
    assert!(ledger.read(3, Fact::Redrive(redrive("dead/0/3"))).is_err());
    assert_eq!(ledger.hint(20, |_| false).0, 1);
    // A lane that reads what another has left forgets at the next claim.
    let log = vec![
        claim(1, "a"),
        parked("a", 10),
        parked("a", 11),
        done("a", 2),
    ];
    let mut ledger = Ledger::new(0, None, "c".to_owned(), Bounds::per_pair(100)).resumed_at(12);
    for (offset, fact) in log.into_iter().chain([claim(2, "c")]).enumerate() {
        let _ = ledger.read(offset as i64, fact);
    }
    assert_eq!(known(&ledger), (vec![], 1));
}

#[test]
fn a_crowded_key_is_named() {
    let mut ledger = Ledger::new(0, None, "c".to_owned(), Bounds::per_pair(2));
    let _ = ledger.read(0, parked("a", 1));
    assert_eq!(ledger.crowded().next(), None);
    let _ = ledger.read(1, parked("a", 2));
    assert_eq!(ledger.crowded().next(), Some(pair()));
    ledger.finish(0);
    assert_eq!(ledger.crowded().next(), None);
}
