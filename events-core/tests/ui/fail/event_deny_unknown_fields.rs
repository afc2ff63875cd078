use events_core::{event, payload};

#[event(topic = "orders")]
#[serde(deny_unknown_fields)]
struct Placed {
    id: String,
}

#[payload]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    sku: String,
}

fn main() {}
