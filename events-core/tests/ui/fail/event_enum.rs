use events_core::event;

#[event(topic = "orders")]
enum Outcome {
    Placed(String),
    Refused,
}

#[event(topic = "orders")]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
