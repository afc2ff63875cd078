use events_core::{Emission, OneOf, event, handler, payload};

#[event(topics = "orders", key = order)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Placed {
    order_id: String,
    #[event(since = 9)]
    item: Item,
}

#[payload]
#[serde(deny_unknown_fields)]
struct Item {
    sku: String,
}

#[derive(OneOf)]
enum Either {
    Placed(Placed),
    Nothing,
}

#[derive(Emission)]
enum Outcome {
    Placed(Placed),
    Both(Placed, Placed),
}

#[handler]
async fn ship(placed: Placed) -> Outcome {
    Outcome::Placed(placed)
}

#[handler]
async fn either(either: Either) {
    drop(either);
}

fn main() {}
