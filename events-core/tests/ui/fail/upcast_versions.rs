use events_core::{event, payload, upcast};

#[event(topic = "orders", version = 2)]
struct Placed {
    id: String,
}

#[payload]
struct PlacedV1 {
    id: String,
}

#[upcast(from = 2)]
fn of_the_current_version(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

#[upcast(from = 1, to = 3, event = Placed)]
fn to_a_later_version(old: PlacedV1) -> PlacedV1 {
    old
}

fn main() {}
