//! A user who denies clippy's pedantic lints finds none in handlers that he could not heed: clippy itself is the test.

#![deny(clippy::pedantic, clippy::large_enum_variant)]

use events_core::{Emission, Meta, OneOf, Registry, State, event, handler, payload};

#[event(topic = "linted", key = id)]
pub(crate) struct Small {
    pub(crate) id: u32,
}

#[payload]
pub(crate) struct Address {
    pub(crate) lines: [String; 8],
}

#[event(topic = "linted", key = id)]
pub(crate) struct Large {
    pub(crate) id: String,
    pub(crate) home: Address,
    pub(crate) work: Address,
}

#[derive(OneOf)]
pub(crate) enum Taken {
    Small(Small),
    Large(Box<Large>),
}

#[derive(Emission)]
pub(crate) enum Returned {
    Small(Small),
    #[emission(failure)]
    Large(Box<Large>),
}

#[handler(service = "linted", blocking)]
fn linted_print(small: Small, prefix: State<String>) {
    println!("{}{}", *prefix, small.id);
}

#[handler(service = "linted")]
async fn linted_tell(small: Small, meta: Meta) {
    println!("{} came as {}", small.id, meta.id);
}

#[handler(service = "linted")]
async fn linted_turn(taken: Taken) -> Returned {
    match taken {
        Taken::Small(small) => Returned::Small(small),
        Taken::Large(large) => Returned::Large(large),
    }
}

#[test]
fn they_are_registered() {
    assert_eq!(Registry::linked().handlers_of("linted").len(), 3);
}
