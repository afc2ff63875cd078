use events_core::{event, Emission, OneOf};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[derive(Emission)]
struct Outcome {
    order: OrderPlaced,
}

#[derive(OneOf)]
struct Input(OrderPlaced);

#[derive(Emission)]
union Either {
    a: u8,
    b: u8,
}

fn main() {}
