//! `failure` marks a variant of what a handler returns that holds an event.
use events_core::{event, Emission, OneOf};

#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
}

#[event(topic = "orders", key = order_id)]
pub struct OrderRefused {
    pub order_id: String,
}

#[derive(Emission)]
enum Mistyped {
    Placed(OrderPlaced),
    #[emission(failures)]
    Refused(OrderRefused),
    #[emission(crate = events_core)]
    Again(OrderRefused),
}

#[derive(Emission)]
enum Twice {
    #[emission(failure, failure)]
    Placed(OrderPlaced),
    #[emission(failure)]
    #[emission(failure)]
    Refused(OrderRefused),
}

#[derive(Emission)]
enum WithValue {
    #[emission(failure = "refused")]
    Refused(OrderRefused),
    #[emission(failure(OrderRefused))]
    Again(OrderRefused),
    #[emission(failure = false)]
    Placed(OrderPlaced),
}

#[derive(Emission)]
enum Bare {
    #[emission]
    Refused(OrderRefused),
    #[emission()]
    Again(OrderRefused),
}

#[derive(Emission)]
#[emission(failure, crate = events_core)]
enum OnTheEnum {
    Refused(OrderRefused),
}

#[derive(Emission)]
enum Inside {
    Refused(#[emission(failure)] OrderRefused),
}

#[derive(Emission)]
enum WithoutEvent {
    Placed(OrderPlaced),
    #[emission(failure)]
    Nothing,
}

#[derive(OneOf)]
enum Taken {
    Placed(OrderPlaced),
    #[one_of(failure)]
    Refused(OrderRefused),
}

#[derive(OneOf)]
#[one_of(failure)]
enum AllTaken {
    Refused(OrderRefused),
}

#[derive(OneOf)]
enum TakenFrom {
    #[one_of(crate = events_core)]
    Placed(OrderPlaced),
    Refused(#[one_of(crate = events_core)] OrderRefused),
}

fn main() {}
