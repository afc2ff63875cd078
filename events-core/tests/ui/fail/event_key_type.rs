use events_core::event;

#[event(topic = "orders", key = amount)]
struct Placed {
    amount: f64,
}

#[event(topic = "orders", key = (tenant, id))]
struct Shipped {
    tenant: String,
    id: Option<String>,
}

fn main() {}
