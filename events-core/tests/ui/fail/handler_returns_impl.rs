use events_core::{event, handler, Emission};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve(order: OrderPlaced) -> impl Emission {
    drop(order);
}

#[handler]
async fn ship(order: OrderPlaced) -> &'static str {
    drop(order);
    "shipped"
}

fn main() {}
