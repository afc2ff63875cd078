//! All at once.
use events_core::event;

#[event(topic = "orders", version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub amount_cents: u8,
    pub currency: String,
    pub channel: String,
}

fn main() {}
