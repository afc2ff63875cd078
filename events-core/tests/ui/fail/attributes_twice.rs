use events_core::{event, handler};

#[event(topic = "orders")]
#[event(version = 2)]
struct Placed {
    id: String,
}

#[handler(timeout = "1s")]
#[handler(name = "ship")]
async fn ship(placed: Placed) {
    drop(placed);
}

fn main() {}
