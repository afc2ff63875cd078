//! A field says that it had a name that was never released.
use events_core::event;

#[event(topic = "orders", key = order_id, version = 2, lock = "contracts/OrderPlaced.json")]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
    pub coupon: Option<String>,
    #[event(default)]
    pub channel: String,
    #[event(renamed_from = "money")]
    pub currency: Option<u8>,
}

fn main() {}
