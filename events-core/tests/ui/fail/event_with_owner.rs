use events_core::event;

#[event(topic = "orders", owner = "inventory", reply = StockReserved)]
struct OrderPlaced {
    order_id: String,
}

fn main() {}
