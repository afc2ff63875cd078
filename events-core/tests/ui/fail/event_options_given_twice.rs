use events_core::event;

#[event(topic = "orders", version = 1, topic = "others", version = 2)]
struct Placed {
    id: String,
}

fn main() {}
