//! Older records lack a new field.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    #[event(default)]
    pub channel: String,
    pub currency: String,
}

fn main() {}
