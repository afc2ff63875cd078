use events_core::{command, event};

const TOPIC: &str = "orders";

#[event(topic = TOPIC, key = id)]
pub struct Placed {
    pub id: String,
}

#[command(owner = names::OWNER)]
pub struct Reserve;

mod names {
    pub const OWNER: &str = "inventory";
}

fn main() {
    let _ = (TOPIC, names::OWNER);
}
