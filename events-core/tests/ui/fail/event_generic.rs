use events_core::event;

#[event(topic = "orders")]
struct Placed<T> {
    item: T,
}

#[event(topic = "orders")]
struct Borrowed<'a> {
    item: &'a str,
}

#[event(topic = "orders")]
struct Bound
where
    String: Clone,
{
    item: String,
}

fn main() {}
