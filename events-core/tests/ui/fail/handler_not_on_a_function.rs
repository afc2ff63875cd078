use events_core::handler;

#[handler]
struct Reserve;

fn main() {}
