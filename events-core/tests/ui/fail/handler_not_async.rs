use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
fn reserve(order: OrderPlaced) {
    drop(order);
}

fn main() {}
