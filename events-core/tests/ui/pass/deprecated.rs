//! What a user marks as deprecated may stand in events and handlers: the user is warned of his own uses alone.

#![deny(warnings)]
#![allow(dead_code)]

use events_core::{Emission, Meta, OneOf, command, event, handler, payload, upcast};

#[event(topic = "t", key = id)]
pub struct OldField {
    pub id: String,
    #[deprecated = "use `lines`"]
    pub line: u32,
}

#[event(topic = "t", key = id)]
pub struct OldKey {
    #[deprecated]
    pub id: String,
    #[deprecated]
    pub lines: Vec<u32>,
}

#[event(topic = "t")]
#[serde(rename_all = "camelCase")]
pub struct OldDerived {
    #[deprecated]
    pub unit_price: u32,
}

#[payload]
pub struct OldPart {
    #[deprecated]
    pub line: u32,
}

#[payload]
pub enum OldVariant {
    Web,
    #[deprecated]
    Shop {
        #[deprecated]
        till: u16,
    },
}

#[payload]
pub enum OldOpenVariant {
    #[deprecated]
    Web,
    Shop(u8),
    #[event(other)]
    Unknown,
}

#[event(topic = "t", key = id, deprecated = "use OrderPlaced")]
pub struct OrderMade {
    pub id: String,
    pub lines: Vec<u32>,
}

#[command(owner = "t", deprecated = "use nothing")]
pub struct Obsolete {
    #[deprecated]
    pub id: String,
}

#[derive(OneOf)]
pub enum Taken {
    New(OldField),
    #[deprecated]
    Old(OldKey),
}

#[derive(Emission)]
pub enum Returned {
    New(OldField),
    #[deprecated]
    #[emission(failure)]
    Old(OldKey),
    #[deprecated]
    Nothing,
}

#[allow(deprecated)]
#[handler]
async fn still_taken(order: OrderMade, _: Meta) -> OrderMade {
    order
}

#[handler]
#[allow(deprecated)]
async fn still_returned(order: OldField) -> Option<OrderMade> {
    drop(order);
    None
}

#[deprecated]
#[handler(blocking)]
fn still_run(_: Taken) -> Option<Returned> {
    None
}

#[allow(deprecated)]
mod versions {
    use super::*;

    #[event(topic = "t", version = 2, deprecated = "use OrderPlaced")]
    pub struct Versioned {
        pub id: String,
    }

    #[upcast(from = 1)]
    fn upcast_it(old: OldPart) -> Versioned {
        Versioned { id: old.line.to_string() }
    }
}

fn main() {
    assert_eq!(events_core::Registry::linked().handlers.len(), 3);
}
