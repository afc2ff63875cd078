use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(start = "latest")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(group = "audit", start = "yesterday")]
async fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(group = "audit", start = "2024-02-30T00:00:00Z")]
async fn refund(order: OrderPlaced) {
    drop(order);
}

fn main() {}
