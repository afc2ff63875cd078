use events_core::event;

#[event(topic = "")]
struct Empty;

#[event(topic = "orders/placed")]
struct Slash;

#[event(topic = "..")]
struct Dots;

#[event(topic = "orders", name = "")]
struct Nameless;

#[event(topic = "orders", name = " Placed ")]
struct Spacious;

fn main() {}
