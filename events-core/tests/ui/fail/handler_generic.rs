use events_core::{event, handler, Event, State};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[handler]
async fn reserve<T: Send>(order: OrderPlaced, stock: State<T>) {
    drop((order, stock));
}

#[handler]
async fn ship(order: impl Event) {
    drop(order);
}

#[handler]
async fn refund<'a>(order: OrderPlaced) {
    drop(order);
}

#[handler]
async fn settle(order: OrderPlaced)
where
    String: Clone,
{
    drop(order);
}

fn main() {}
