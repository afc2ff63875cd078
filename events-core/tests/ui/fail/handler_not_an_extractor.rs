use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Stock;

#[handler]
async fn reserve(order: OrderPlaced, stock: Stock) {
    drop((order, stock));
}

#[handler]
async fn two(first: OrderPlaced, second: OrderPlaced, count: u32) {
    drop((first, second, count));
}

fn main() {}
