use events_core::{event, handler};

#[event(topic = "orders" key = id)]
pub struct Placed {
    pub id: String,
}

#[event(topic = "orders", key = id version = 2)]
pub struct Shipped {
    pub id: String,
}

#[handler(concurrency = 4 name = "other")]
async fn placed(placed: Placed) {
    drop(placed);
}

fn main() {}
