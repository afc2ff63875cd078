//! What the choreography must come to: the same rules as one loop over the file, without services, events and broker.

use std::collections::HashMap;

/// CDs for one customer in one month.
const RATION: u64 = 8;

/// How the orders end, and the money.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Endings {
    pub(crate) orders: u64,
    pub(crate) shipped: u64,
    pub(crate) declined: u64,
    pub(crate) refunded: u64,
    pub(crate) captured_cents: u64,
    pub(crate) refunded_cents: u64,
}

/// The endings of the first `limit` orders.
pub(crate) fn plain_loop(limit: usize) -> Endings {
    let mut endings = Endings::default();
    let mut taken: HashMap<(&str, &str), u64> = HashMap::new();
    for line in include_str!("../../data/orders.csv")
        .lines()
        .skip(1)
        .take(limit)
    {
        let fields: Vec<_> = line.split(',').collect();
        let (month, customer) = (&fields[1][..7], fields[2]);
        let (cds, cents): (u64, u64) = (
            fields[3].parse().expect("a number"),
            fields[4].parse().expect("a number"),
        );
        endings.orders += 1;
        if cents == 0 {
            endings.declined += 1;
            continue;
        }
        endings.captured_cents += cents;
        let taken = taken.entry((customer, month)).or_default();
        if *taken + cds > RATION {
            endings.refunded += 1;
            endings.refunded_cents += cents;
        } else {
            *taken += cds;
            endings.shipped += 1;
        }
    }
    endings
}
