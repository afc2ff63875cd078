use events_core::command;

struct NoEvent;

#[command(owner = "inventory", reply = NoEvent)]
struct ReserveStock {
    order_id: String,
}

#[command(owner = "inventory", reply = ReserveStock)]
struct ReleaseStock {
    order_id: String,
}

#[command(owner = "inventory", reply = "StockReserved")]
struct CountStock {
    order_id: String,
}

fn main() {}
