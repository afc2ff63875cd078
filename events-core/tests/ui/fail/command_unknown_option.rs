use events_core::command;

#[command(ower = "inventory", partitions = 3)]
struct ReserveStock {
    order_id: String,
}

fn main() {}
