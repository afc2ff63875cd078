//! The events: JSON of about 200 bytes.

use std::borrow::Cow;

use events_core::{KeyPart, event, payload};

/// Different keys in the topic of the slow handler.
pub(crate) const JOB_KEYS: u64 = 2_000;

/// What an order says.
#[payload]
pub(crate) struct Order {
    pub(crate) order_id: String,
    pub(crate) customer_id: u64,
    pub(crate) amount_cents: u64,
    pub(crate) currency: String,
    pub(crate) placed_at: String,
    pub(crate) ship_to: String,
    pub(crate) item_skus: Vec<u32>,
}

impl KeyPart for Order {
    fn key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.order_id)
    }
}

/// An order on a topic whose records are routed, told apart and decoded.
#[event(topic = "bench-orders", key = 0)]
pub(crate) struct OrderPlaced(pub(crate) Order);

/// An order on a topic of its own, of which nothing but the payload is needed.
#[event(topic = "bench-plain-orders", key = 0, topic_exclusive)]
pub(crate) struct PlainOrder(pub(crate) Order);

/// An order as `publish` writes it.
#[event(topic = "bench-imports", key = 0)]
pub(crate) struct OrderImported(pub(crate) Order);

/// A piece of work that takes a millisecond.
#[event(topic = "bench-jobs", key = 0)]
pub(crate) struct JobQueued(pub(crate) Order);

/// What `memory` reads.
#[event(topic = "bench-steady-orders", key = 0)]
pub(crate) struct SteadyOrder(pub(crate) Order);

/// What is published for each order.
#[event(topic = "bench-payments", key = order_id)]
pub(crate) struct PaymentCaptured {
    pub(crate) order_id: String,
    pub(crate) customer_id: u64,
    pub(crate) amount_cents: u64,
    pub(crate) currency: String,
    pub(crate) captured_at: String,
    pub(crate) reference: String,
}

/// Tells when it was sent.
#[event(topic = "bench-pings", key = number)]
pub(crate) struct Ping {
    /// Which run it belongs to.
    pub(crate) run: String,
    pub(crate) number: u64,
    /// Nanoseconds on the run's own clock.
    pub(crate) sent_ns: u64,
    pub(crate) padding: String,
}

impl Order {
    /// The order number `index`; it looks the same in every run.
    pub(crate) fn numbered(index: u64) -> Self {
        Self::with_id(format!("order-{index:012}"), index)
    }

    /// One of few keys, in turn.
    pub(crate) fn queued(index: u64) -> Self {
        Self::with_id(format!("customer-{:09}", index % JOB_KEYS), index)
    }

    fn with_id(order_id: String, index: u64) -> Self {
        Self {
            order_id,
            customer_id: 10_000 + index % 90_000,
            amount_cents: cents(index),
            currency: "EUR".to_owned(),
            placed_at: "2026-01-31T12:00:00.000Z".to_owned(),
            ship_to: "Rue de la Loi 200, Brussels".to_owned(),
            item_skus: vec![
                100_000 + (index % 50_000) as u32,
                200_000 + (index % 70_000) as u32,
            ],
        }
    }
}

/// The payment for an order.
pub(crate) fn payment(order: Order) -> PaymentCaptured {
    PaymentCaptured {
        order_id: order.order_id,
        customer_id: order.customer_id,
        amount_cents: order.amount_cents,
        currency: order.currency,
        captured_at: order.placed_at,
        reference: order.ship_to,
    }
}

fn cents(index: u64) -> u64 {
    100 + index % 10_007
}

/// What the first `records` orders are worth.
pub(crate) fn total_cents(records: u64) -> u64 {
    (0..records).map(cents).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_about_200_bytes() {
        let encoded = events_core::encode(&OrderPlaced(Order::numbered(123_456))).unwrap();
        assert!(
            (180..=220).contains(&encoded.value.len()),
            "{}",
            encoded.value.len()
        );
        assert_eq!(encoded.key.as_deref(), Some("order-000000123456"));
    }
}
