//! The lock cannot be used.
use events_core::event;

#[event(topic = "orders", lock = "contracts/OrderPlaced.json")]
pub struct Other {
    pub order_id: String,
}

fn main() {}
