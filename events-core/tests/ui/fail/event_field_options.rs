use events_core::event;

#[event(topic = "orders", version = 2)]
struct Placed {
    #[event(defualt)]
    id: String,
    #[event(key)]
    amount: u64,
    #[event(since = "2")]
    coupon: Option<String>,
    #[event(default = 7)]
    weight: u32,
}

#[event(topic = "orders")]
struct Renamed(#[event(default)] String);

fn main() {}
