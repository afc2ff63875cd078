use events_core::event;

struct Compact;

#[event(topic = "orders", codec = Compact)]
struct Placed {
    id: String,
}

fn main() {}
