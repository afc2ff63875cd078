use events_core::event;

#[event(topic = "orders", key = order_id)]
struct Unit;

#[event(topic = "orders", key = name)]
struct Newtype(String);

#[event(topic = "orders", key = ())]
struct Nothing {
    id: String,
}

#[event(topic = "orders", key = (id, id))]
struct Twice {
    id: String,
}

fn main() {}
