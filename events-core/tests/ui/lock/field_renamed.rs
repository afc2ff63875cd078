//! A released field is called otherwise.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount: u64,
    pub coupon: Option<String>,
    #[event(default)]
    pub channel: String,
}

fn main() {}
