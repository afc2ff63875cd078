use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler(park = "on")]
async fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(park)]
async fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(park(backof = "1m", max_age = 5))]
async fn refund(order: OrderPlaced) {
    drop(order);
}

#[handler(park(backoff = "1h..1m", max_age = "1y"))]
async fn settle(order: OrderPlaced) {
    drop(order);
}

#[handler(park(backoff = "10m..1h", max_age = "5m"))]
async fn cancel(order: OrderPlaced) {
    drop(order);
}

#[handler(park(backoff = "2d", max_age = "500d"))]
async fn archive(order: OrderPlaced) {
    drop(order);
}

fn main() {}
