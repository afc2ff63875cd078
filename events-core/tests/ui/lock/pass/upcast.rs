//! What only an upcaster can fill in older records may be new and required, or become required.
use events_core::{event, payload, upcast};

#[event(topic = "orders", key = order_id, version = 2, lock = "../contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    #[event(since = 2, upcast)]
    pub channel: String,
    #[event(since = 2, upcast)]
    pub currency: String,
}

#[payload]
struct OrderPlacedV1 {
    order_id: String,
    amount_cents: u64,
    coupon: Option<String>,
    channel: Option<String>,
}

#[upcast(from = 1)]
fn in_euros(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced {
        order_id: old.order_id,
        amount_cents: old.amount_cents,
        coupon: old.coupon,
        channel: old.channel.unwrap_or_default(),
        currency: "EUR".to_owned(),
    }
}

fn main() {
    let old = br#"{"order_id":"a","amount_cents":5}"#;
    let order: OrderPlaced = events_core::decode(Some(old), 1).unwrap();
    assert_eq!((order.order_id.as_str(), order.currency.as_str()), ("a", "EUR"));
}
