use events_core::command;

#[command(key = order_id)]
struct ReserveStock {
    order_id: String,
}

fn main() {}
