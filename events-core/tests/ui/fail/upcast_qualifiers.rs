use events_core::{event, payload, upcast};

#[event(topic = "orders", version = 2)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[payload]
pub struct OrderPlacedV1 {
    pub id: String,
}

#[upcast(from = 1)]
const fn at_build_time(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced { order_id: old.id }
}

#[upcast(from = 1)]
unsafe fn at_own_risk(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced { order_id: old.id }
}

#[upcast(from = 1)]
extern "C" fn from_elsewhere(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced { order_id: old.id }
}

#[upcast(from = 1)]
fn of_anything<T: Into<String>>(old: T) -> OrderPlaced {
    OrderPlaced { order_id: old.into() }
}

#[upcast(from = 1)]
fn of_whatever(old: _) -> OrderPlaced {
    OrderPlaced { order_id: String::new() }
}

#[upcast(from = 1)]
fn to_something(old: OrderPlacedV1) -> impl Sized {
    OrderPlaced { order_id: old.id }
}

#[upcast(from = 1)]
#[upcast(from = 1)]
fn twice(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced { order_id: old.id }
}

#[upcast(from = "1", to = two, event = "OrderPlaced")]
fn of_wrong_kinds(old: OrderPlacedV1) -> OrderPlaced {
    OrderPlaced { order_id: old.id }
}

fn main() {}
