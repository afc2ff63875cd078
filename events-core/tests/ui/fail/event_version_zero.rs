use events_core::event;

#[event(topic = "orders", version = 0)]
struct Placed;

fn main() {}
