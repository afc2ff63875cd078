use events_core::{event, handler, Result};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

struct Receipt;

#[handler]
async fn reserve(order: OrderPlaced) -> Receipt {
    drop(order);
    Receipt
}

#[handler]
async fn ship(order: OrderPlaced) -> Result<Option<String>> {
    Ok(Some(order.order_id))
}

fn main() {}
