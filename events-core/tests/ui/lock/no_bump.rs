//! A released version changed: a field came, another went.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 1, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    #[event(default)]
    pub channel: String,
    pub currency: Option<u8>,
}

fn main() {}
