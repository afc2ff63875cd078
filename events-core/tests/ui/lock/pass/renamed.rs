//! A type that has another name in Rust keeps that of the wire, and so its lock.
use events_core::{Event, event};

#[event(topic = "orders", key = order_id, version = 2, renamed_from = "OrderPlaced", lock = "../contracts/OrderPlaced.json")]
pub struct OrderAccepted {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    #[event(default)]
    pub channel: String,
    #[event(since = 2)]
    pub note: Option<String>,
}

fn main() {
    assert_eq!(OrderAccepted::DESCRIPTOR.name, "OrderPlaced");
}
