use events_core::event;

#[event(topic = "orders")]
struct Placed {
    id: String,
    #[serde(rename = "id")]
    order: String,
    #[serde(alias = "order_no")]
    number: u32,
    order_no: u32,
}

#[event(topic = "orders")]
#[serde(rename_all = "camelCase")]
struct Shipped {
    unit_price: u64,
    #[serde(rename = "unitPrice")]
    price: u64,
}

fn main() {}
