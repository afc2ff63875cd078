use events_core::{event, handler, State};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Counter;

#[handler]
async fn reserve(order: &OrderPlaced, stock: &State<String>, count: &Counter) {
    drop((order, stock, count));
}

fn main() {}
