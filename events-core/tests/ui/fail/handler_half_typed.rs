use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(timeout = )]
async fn reserve(order: OrderPlaced) {
    // The function is still there, so this is an error of its own, and completion works.
    let id: u64 = order.order_id;
}

fn uses() {
    let _ = reserve;
}

fn main() {}
