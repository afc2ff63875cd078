//! Released fields have other types.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: std::primitive::u32,
    pub coupon: std::option::Option<u32>,
    #[event(default)]
    pub channel: String,
}

fn main() {}
