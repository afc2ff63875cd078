//! What was optional must be there, and the other way.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    #[event(default)]
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: OwnText,
    #[event(default)]
    pub channel: String,
}

type OwnText = String;

fn main() {}
