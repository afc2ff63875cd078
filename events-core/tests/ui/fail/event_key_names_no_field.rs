use events_core::event;

#[event(topic = "orders", key = oder_id)]
struct Placed {
    order_id: String,
    amount: u64,
}

#[event(topic = "orders", key = (tenant, order_id))]
struct Shipped {
    order_id: String,
}

fn main() {}
