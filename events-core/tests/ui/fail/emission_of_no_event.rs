use events_core::{event, Emission};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[derive(Emission)]
enum Outcome {
    Placed(OrderPlaced),
    Note(String),
}

fn main() {}
