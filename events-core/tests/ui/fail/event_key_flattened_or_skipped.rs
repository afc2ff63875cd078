use events_core::{event, payload};

#[payload]
struct Ids {
    order: String,
}

#[event(topic = "orders", key = ids)]
struct Placed {
    #[serde(flatten)]
    ids: Ids,
}

#[event(topic = "orders", key = id)]
struct Shipped {
    #[serde(skip)]
    id: String,
}

fn main() {}
