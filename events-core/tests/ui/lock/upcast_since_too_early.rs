//! An upcaster of versions below 1 helps no record of version 1.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    #[event(default)]
    pub channel: String,
    #[event(since = 1, upcast)]
    pub currency: String,
}

fn main() {}
