use events_core::{event, handler, State};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve(order: &OrderPlaced, stock: &State<String>) {
    drop((order, stock));
}

fn main() {}
