use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(
    name = reserve,
    renamed_from,
    service = 7,
    group = Inventory,
    concurrency = "64",
    dedupe = "no",
    blocking = "yes",
    allow_cycle = OrderPlaced,
    retry = 5,
    park(backoff = 60),
    crate = "events_core"
)]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(retry(attempts = "8", backoff = 1), timeout = 10)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

fn main() {}
