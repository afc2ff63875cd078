#![allow(deprecated)]
use events_core::event;

#[event(topic = "orders", deprecated)]
struct Bare;

#[event(topic = "orders", deprecated = " ")]
struct Blank;

#[event(topic = "orders", deprecated = "use OrderAccepted")]
#[deprecated]
struct Twice;

fn main() {}
