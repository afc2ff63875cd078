use events_core::event;

#[event(key = id)]
struct Placed {
    id: String,
}

fn main() {}
