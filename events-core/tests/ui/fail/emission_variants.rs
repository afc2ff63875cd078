use events_core::{event, Emission};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[derive(Emission)]
enum Outcome {
    Placed { order: OrderPlaced },
    Both(OrderPlaced, OrderPlaced),
}

#[derive(Emission)]
enum Nothing {}

#[derive(Emission)]
enum Generic<T> {
    Placed(T),
}

fn main() {}
