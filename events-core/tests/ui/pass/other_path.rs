//! The core under another name.

#![deny(warnings)]

mod vendored {
    pub(crate) use events_core::*;
}

use vendored::{Emission, OneOf, event, handler, payload};

#[payload(crate = crate::vendored)]
struct Item {
    sku: String,
}

#[event(topic = "t", key = id, crate = crate::vendored)]
struct Placed {
    id: String,
    items: Vec<Item>,
}

#[event(topic = "t", crate = crate::vendored)]
#[serde(rename_all = "camelCase")]
struct Shipped {
    order_id: String,
}

#[derive(OneOf)]
#[one_of(crate = crate::vendored)]
enum Either {
    Placed(Placed),
    Shipped(Shipped),
}

#[derive(Emission)]
#[emission(crate = crate::vendored)]
enum Outcome {
    Placed(Placed),
    Shipped(Shipped),
}

#[handler(crate = crate::vendored)]
async fn swap(either: Either) -> Outcome {
    match either {
        Either::Placed(placed) => Outcome::Shipped(Shipped {
            order_id: placed.items.into_iter().map(|item| item.sku).collect(),
        }),
        Either::Shipped(shipped) => Outcome::Placed(Placed {
            id: shipped.order_id,
            items: Vec::new(),
        }),
    }
}

fn main() {
    assert_eq!(vendored::Registry::linked().handlers.len(), 1);
}
