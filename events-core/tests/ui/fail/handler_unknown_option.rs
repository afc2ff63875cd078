use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(grup = "audit", retries = 5)]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(retry(attempts = 3, backof = "1s", jitter))]
async fn ship(order: OrderPlaced) {
    drop(order);
}

fn main() {}
