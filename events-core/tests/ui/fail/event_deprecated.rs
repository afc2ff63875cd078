//! Whoever takes a deprecated event is told what to use instead; its own generated code is not.
#![deny(warnings)]

mod contracts {
    use events_core::event;

    #[event(topic = "orders", key = order_id, deprecated = "use OrderAccepted")]
    pub struct OrderPlaced {
        pub order_id: String,
    }

    #[event(topic = "orders", deprecated = "use OrderAccepted")]
    pub struct OrdersPlaced {
        pub order_ids: std::collections::BTreeSet<String>,
    }

    #[event(topic = "orders", deprecated = "nobody waits for it")]
    pub struct Pinged;

    #[event(topic = "orders", key = order_id)]
    pub struct OrderAccepted {
        pub order_id: String,
    }
}

use events_core::{Meta, OneOf, handler};

#[handler]
async fn reserve(order: contracts::OrderPlaced) {
    drop(order);
}

#[handler(blocking)]
fn bill(order: contracts::OrdersPlaced, meta: Meta) {
    drop((order, meta));
}

#[derive(OneOf)]
enum Either {
    Pinged(contracts::Pinged),
    Accepted(contracts::OrderAccepted),
}

#[handler]
async fn either(either: Either) {
    drop(either);
}

#[handler]
async fn ship(order: contracts::OrderAccepted) {
    drop(order);
}

fn main() {}
