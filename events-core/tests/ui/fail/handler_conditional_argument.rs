use events_core::{event, handler, Meta};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve(order: OrderPlaced, #[cfg(all())] meta: Meta) {
    drop((order, meta));
}

fn main() {}
