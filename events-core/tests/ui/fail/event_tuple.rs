use events_core::event;

#[event(topic = "orders")]
struct Placed(String, u64);

fn main() {}
