use events_core::event;

pub struct Money(u64);

#[event(topic = "orders")]
pub struct Placed {
    pub amount: Money,
}

fn main() {}
