use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(concurrency = 0, retry(attempts = 0))]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(concurrency = 70000)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(retry = 5)]
async fn refund(order: OrderPlaced) {
    drop(order);
}

fn main() {}
