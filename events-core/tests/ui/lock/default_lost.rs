//! A default is gone.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    pub channel: String,
}

fn main() {}
