//! The attribute of the other derive.
use events_core::{event, OneOf};

#[event(topic = "orders", key = order_id)]
pub struct OrderRefused {
    pub order_id: String,
}

#[derive(OneOf)]
enum Taken {
    #[emission(failure)]
    Refused(OrderRefused),
}

fn main() {}
