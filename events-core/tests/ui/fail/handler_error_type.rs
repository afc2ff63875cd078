use events_core::{event, handler, Result};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Mine;

#[handler]
async fn reserve(order: OrderPlaced) -> Result<(), Mine> {
    drop(order);
    Err(Mine)
}

fn main() {}
