use events_core::event;

#[event(topic = "orders", renamed_from = "OrderPlaced")]
pub struct OrderPlaced;

#[event(topic = "orders", name = "OrderPlaced", renamed_from = "OrderPlaced")]
pub struct OrderAccepted;

#[event(topic = "orders", renamed_from = "order placed\n")]
pub struct OrderMade;

fn main() {}
