//! A catch-all is the one unit variant that stands last in an enum with a tag.
use events_core::{event, payload};

#[payload]
enum Holds {
    Red,
    #[event(other)]
    Unknown(String),
}

#[payload]
enum Two {
    #[event(other)]
    Red,
    #[event(other)]
    Unknown,
}

#[payload]
enum First {
    #[event(other)]
    Unknown,
    Red,
}

#[payload]
#[serde(untagged)]
enum Untagged {
    Red { red: u8 },
    #[event(other)]
    Unknown,
}

#[payload]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    Red { red: u8 },
    #[event(other)]
    Unknown,
}

#[payload]
enum Generic<T> {
    Red(T),
    #[event(other)]
    Unknown,
}

#[payload]
enum Mistyped {
    Red,
    #[event(others)]
    Unknown,
}

#[payload]
enum Bare {
    Red,
    #[event]
    Unknown,
}

#[payload]
enum Inside {
    Red {
        #[event(other)]
        red: u8,
    },
}

#[payload]
#[event(other)]
struct OnStruct {
    red: u8,
}

#[payload]
struct OnField {
    #[event(other)]
    red: u8,
}

#[event(topic = "paints")]
struct Painted {
    #[event(other)]
    red: u8,
}

#[event(topic = "paints", other)]
struct Washed {
    red: u8,
}

fn main() {}
