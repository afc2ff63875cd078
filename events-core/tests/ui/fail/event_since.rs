use events_core::event;

#[event(topic = "orders", version = 2)]
struct Placed {
    id: String,
    #[event(since = 2)]
    coupon: String,
    #[event(since = 3)]
    note: Option<String>,
    #[event(since = 0)]
    tag: Option<String>,
}

fn main() {}
