use events_core::command;

#[command(owner = "")]
struct ReserveStock {
    order_id: String,
}

#[command(owner = "the inventory")]
struct ReleaseStock {
    order_id: String,
}

#[command(owner = inventory)]
struct CountStock {
    order_id: String,
}

fn main() {}
