use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Service;

impl Service {
    #[handler]
    async fn reserve(order: OrderPlaced) {
        drop(order);
    }
}

fn main() {}
