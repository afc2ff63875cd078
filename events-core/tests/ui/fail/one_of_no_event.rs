use events_core::{event, OneOf};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[derive(OneOf)]
enum Input {
    Placed(OrderPlaced),
    Count(u32),
}

fn main() {}
