use events_core::event;

#[event(topic = "orders")]
fn placed() {}

fn main() {}
