use events_core::{event, payload};

#[event(topic = "orders")]
struct Placed {
    #[event(name = "orderId", renamed_from = "order_id")]
    id: String,
    #[event(name = "")]
    nobody: String,
    #[event(name = "amount")]
    #[serde(rename = "cents")]
    amount: u64,
    #[event(renamed_from = "lines")]
    #[serde(skip)]
    lines: u8,
}

#[payload]
struct Address {
    town: String,
}

#[event(topic = "orders")]
struct Shipped {
    #[event(name = "address")]
    #[serde(flatten)]
    to: Address,
}

#[event(topic = "orders")]
#[serde(rename_all = "camelCase")]
struct Closed;

fn main() {}
