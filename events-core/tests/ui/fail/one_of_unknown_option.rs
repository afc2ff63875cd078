use events_core::{event, OneOf};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[derive(OneOf)]
#[one_of(krate = elsewhere)]
enum Input {
    Placed(OrderPlaced),
}

fn main() {}
