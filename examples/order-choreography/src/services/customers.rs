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
