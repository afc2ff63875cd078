//! The lock cannot be used.
use events_core::event;

#[event(topic = "orders", lock = "contracts/Missing.json")]
pub struct OrderPlaced {
    pub order_id: String,
}

fn main() {}
