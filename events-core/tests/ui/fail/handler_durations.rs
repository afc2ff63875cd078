use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(timeout = "30")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(timeout = 30)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(timeout = "0s", retry(backoff = "1s..50ms"))]
async fn refund(order: OrderPlaced) {
    drop(order);
}

#[handler(retry(backoff = "soon"))]
async fn settle(order: OrderPlaced) {
    drop(order);
}

fn main() {}
