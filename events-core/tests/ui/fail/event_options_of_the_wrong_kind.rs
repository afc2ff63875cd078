use events_core::event;

#[event(topic = orders, version = "2", name = 7, topic_default = "yes", key = "id")]
struct Placed {
    id: String,
}

#[event("orders")]
struct Shipped;

#[event(topic)]
struct Refunded;

#[event(topic = , version = 5000000000)]
struct Declined;

fn main() {}
