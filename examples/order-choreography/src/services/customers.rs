//! Customers: who bought how much. A projection: it listens, and nobody hears of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use events_kafka::{State, handler};
use order_contracts::OrderPlaced;

events_kafka::service!("customers");

/// Counts an order, once.
#[handler]
async fn remember(order: OrderPlaced, customers: State<Customers>) {
    let mut known = customers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let customer = known.entry(order.customer_id).or_default();
    if customer.orders.insert(order.order_id) {
        customer.spent_cents += order.amount_cents;
    }
}

/// All customers by id.
#[derive(Default)]
pub(crate) struct Customers(Mutex<HashMap<String, Customer>>);

#[derive(Default)]
struct Customer {
    orders: HashSet<String>,
    spent_cents: u64,
}

impl Customers {
    /// How many orders and cents there are for customers of a run: those whose id begins with `run`.
    pub(crate) fn totals(&self, run: &str) -> (usize, u64) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = known.iter().filter(|(id, _)| id.starts_with(run));
        ours.fold((0, 0), |(orders, cents), (_, customer)| {
            (orders + customer.orders.len(), cents + customer.spent_cents)
        })
    }
}

#[cfg(test)]
mod tests {
    use events_testkit::Harness;

    use super::*;
    use crate::chaos::{BadLuck, Chaos};

    fn order(order_id: &str, customer_id: &str) -> OrderPlaced {
        OrderPlaced {
            order_id: order_id.to_owned(),
            customer_id: customer_id.to_owned(),
            placed_on: "1997-01-31".to_owned(),
            cds: 1,
            amount_cents: 1000,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_counts_once_and_nobody_hears_of_it() {
        let outcome = Harness::for_service("customers")
            .state(Customers::default())
            .given(&order("o-1", "c-1"))
            .given(&order("o-1", "c-1"))
            .given(&order("o-2", "c-2"))
            .run()
            .await;
        outcome.expect_no_dead_letters().expect_nothing_emitted();
        assert_eq!(outcome.state::<Customers>().totals("c-"), (2, 2000));
    }

    #[tokio::test(start_paused = true)]
    async fn bad_luck_delays_an_order_and_loses_none() {
        let outcome = Harness::for_service("customers")
            .state(Customers::default())
            .middleware(BadLuck::new("customers", &Chaos::default()))
            .given(&order("o-1", "c-50"))
            .given(&order("o-2", "c-51"))
            .run()
            .await;
        outcome.expect_no_dead_letters();
        assert_eq!(outcome.state::<Customers>().totals("c-"), (2, 2000));
    }
    #[tokio::test(start_paused = true)]
    async fn what_a_fault_keeps_from_the_projection_is_a_dead_letter_until_it_is_mended() {
        let chaos = Chaos::default();
        let run = || {
            Harness::for_service("customers")
                .state(Customers::default())
                .middleware(BadLuck::new("customers", &chaos))
                .given(&order("o-1", "c-00214"))
                .given(&order("o-2", "c-00215"))
                .run()
        };
        let outcome = run().await;
        let letter = outcome.expect_dead_letter("remember");
        assert_eq!(
            (letter.key.as_deref(), letter.attempts),
            (Some("c-00214"), 1)
        );
        assert_eq!(outcome.state::<Customers>().totals("c-"), (1, 1000));

        chaos.mend();
        let outcome = run().await;
        outcome.expect_no_dead_letters();
        assert_eq!(outcome.state::<Customers>().totals("c-"), (2, 2000));
    }
}
