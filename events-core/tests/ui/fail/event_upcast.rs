use events_core::event;

#[event(topic = "orders", version = 2)]
struct Placed {
    id: String,
    #[event(since = 2, upcast)]
    coupon: Option<String>,
    #[event(since = 2, upcast, default)]
    note: String,
    #[event(upcast)]
    tag: String,
}

fn main() {}
