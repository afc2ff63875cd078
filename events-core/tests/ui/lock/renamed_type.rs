//! A type says that it had a name that is not its lock's.
use events_core::event;

#[event(topic = "orders", renamed_from = "OrderAccepted", lock = "contracts/OrderPlaced.json")]
pub struct Order {
    pub order_id: String,
}

fn main() {}
