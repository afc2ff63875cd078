use events_core::event;

#[event(topic = "orders")]
struct Placed {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    id: String,
}

fn main() {}
