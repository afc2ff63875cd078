use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async unsafe fn reserve(order: OrderPlaced) {
    drop(order);
}

#[handler(blocking)]
extern "C" fn ship(order: OrderPlaced) {
    drop(order);
}

#[handler(blocking)]
const fn settle(_order: u8) {}

fn main() {}
