use events_core::{event, payload};

#[event(topic = "orders")]
#[derive(Debug, serde::Serialize, Deserialize)]
struct Placed {
    id: String,
}

#[payload]
#[derive(Clone, schemars::JsonSchema)]
struct Item {
    sku: String,
}

#[event(topic = "orders")]
#[serde(crate = "elsewhere")]
struct Shipped {
    id: String,
}

fn main() {}
