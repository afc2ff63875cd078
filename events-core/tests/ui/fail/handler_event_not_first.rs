use events_core::{event, handler, State};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve(stock: State<String>, order: OrderPlaced) {
    drop((order, stock));
}

#[handler]
async fn audit(meta: events_core::Meta) {
    drop(meta);
}

fn main() {}
