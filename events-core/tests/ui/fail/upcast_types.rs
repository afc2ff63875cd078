use events_core::{event, payload, upcast};

#[event(topic = "orders", version = 2)]
struct Placed {
    id: String,
}

struct PlacedV1;

#[payload]
struct PlacedV2;

#[upcast(from = 1)]
fn of_no_payload(old: PlacedV1) -> Placed {
    Placed { id: String::new() }
}

#[upcast(from = 1, event = Placed)]
fn to_no_payload(old: PlacedV2) -> Result<PlacedV1, std::fmt::Error> {
    Ok(PlacedV1)
}

#[upcast(from = 1)]
fn of_no_event(old: PlacedV2) -> PlacedV2 {
    old
}

fn main() {}
