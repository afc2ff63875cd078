use events_core::{command, event};

#[command(owner = "inventory")]
#[event(topic = "orders")]
struct ReserveStock {
    order_id: String,
}

#[event(topic = "orders")]
struct OrderPlaced {
    #[command(since = 2)]
    order_id: String,
}

fn main() {}
