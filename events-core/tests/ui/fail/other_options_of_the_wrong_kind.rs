use events_core::{event, payload, Emission};

#[event(topic = "orders", codec = "Json", lock = 7, crate = "events_core")]
struct Placed {
    id: String,
}

#[event(topic = "orders")]
struct Shipped {
    #[event(name = id, since = "two", default = "none")]
    id: String,
}

#[event(topic = "orders", renamed_from = OrderPaid)]
struct Paid {
    #[event(renamed_from)]
    id: String,
}

#[payload(crate = "events_core")]
struct Address {
    town: String,
}

#[derive(Emission)]
#[emission(crate = "events_core")]
enum Either {
    Placed(Placed),
}

fn main() {}
