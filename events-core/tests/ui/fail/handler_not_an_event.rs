use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Order;

#[handler]
async fn reserve(order: Order) {
    drop(order);
}

#[handler]
async fn ship(order: Vec<OrderPlaced>) {
    drop(order);
}

fn main() {}
