use events_core::{command, event, handler, Publisher, Result};

#[event(topic = "orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[command(owner = "inventory", key = order_id)]
struct ReserveStock {
    order_id: String,
}

#[handler(emits(ReserveStock))]
async fn ask(order: OrderPlaced, publisher: Publisher) -> Result<()> {
    publisher.send(&order)?;
    publisher.publish(&ReserveStock { order_id: order.order_id })
}

fn answered<C: events_core::Request>() {}

fn main() {
    answered::<ReserveStock>();
    answered::<OrderPlaced>();
}
