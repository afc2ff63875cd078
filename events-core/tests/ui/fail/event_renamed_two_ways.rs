use events_core::event;

#[event(topic = "orders")]
struct Placed {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    id: String,
}

#[event(topic = "orders")]
#[serde(rename_all(serialize = "camelCase"))]
struct Shipped {
    id: String,
}

fn main() {}
