use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(timeout = "1s", timeout = "2s")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

fn main() {}
