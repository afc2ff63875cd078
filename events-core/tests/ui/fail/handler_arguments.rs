use events_core::{event, handler};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve(order: OrderPlaced, meta: _) {
    drop(order);
}

#[handler(blocking)]
unsafe extern "C" fn ship(order: OrderPlaced, _: ...) {
    drop(order);
}

#[handler(renamed_from = "settle")]
async fn settle(order: OrderPlaced) {
    drop(order);
}

#[handler(name = "pay", renamed_from = "pay")]
async fn pay_for(order: OrderPlaced) {
    drop(order);
}

fn main() {}
