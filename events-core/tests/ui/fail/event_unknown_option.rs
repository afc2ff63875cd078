use events_core::event;

#[event(tpoic = "orders", partitions = 3)]
struct Placed {
    id: String,
}

fn main() {}
