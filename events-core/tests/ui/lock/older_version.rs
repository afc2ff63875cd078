//! A later version was released.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 1, lock = "contracts/Second.json")]
pub struct OrderPlaced {
    pub order_id: String,
}

fn main() {}
