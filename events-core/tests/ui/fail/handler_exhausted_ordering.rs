use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(exhausted = "drop", ordering = "partition")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(exhausted, ordering = false)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(exhausted = "block", exhausted = "dead_letter")]
async fn refund(order: OrderPlaced) {
    drop(order);
}

fn main() {}
