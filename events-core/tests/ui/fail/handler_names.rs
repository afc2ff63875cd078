use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(name = "", service = "my service", group = "a/b")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler]
async fn größe(order: OrderPlaced) {
    drop(order);
}

#[handler(allow_cycle = "")]
async fn ship(order: OrderPlaced) {
    drop(order);
}

fn main() {}
