use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(emits(String))]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(emits = OrderPlaced)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

fn main() {}
