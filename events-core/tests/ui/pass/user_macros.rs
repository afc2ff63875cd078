//! Events and handlers whose tokens come from a macro of the user's.

#![deny(warnings)]
#![allow(dead_code)]

use events_core::{Emission, KeyPart as _, Meta, OneOf, State, command, event, handler, payload, upcast};

macro_rules! keyed {
    ($name:ident, $key:ident) => {
        #[event(topic = "macros", key = $key)]
        pub struct $name {
            pub $key: String,
        }
    };
}
keyed!(Keyed, order_id);

macro_rules! keyed_twice {
    ($name:ident, $($key:ident: $ty:ty),*) => {
        #[event(topic = "macros", key = ($($key),*))]
        pub struct $name {
            $(pub $key: $ty),*
        }
    };
}
keyed_twice!(KeyedTwice, slots: u32, map: String);

macro_rules! holds {
    ($name:ident, $ty:ident, $path:path, $any:ty, $tokens:tt, $life:lifetime) => {
        #[event(topic = "macros", key = id)]
        pub struct $name {
            pub id: String,
            pub value: $ty,
            pub path: $path,
            pub any: $any,
            pub tokens: $tokens,
            pub text: std::borrow::Cow<$life, str>,
        }
    };
}
type Numbers = Vec<u32>;
holds!(HoldsNumber, u32, Vec<u8>, Option<Numbers>, (u8, u16), 'static);
holds!(HoldsNumbers, Numbers, String, [u8; 2], u8, 'static);

macro_rules! defaults {
    ($name:ident, $ident:ident, $path:path) => {
        #[event(topic = "macros", version = 2)]
        pub struct $name {
            pub id: String,
            #[event(since = 2, default = $ident)]
            pub lines: Vec<u32>,
            #[event(since = 2, default = $path)]
            pub more: Vec<u32>,
        }
        #[upcast(from = 1)]
        fn upcast_it(old: Flat) -> $name {
            $name { id: old.id, lines: $ident(), more: $path() }
        }
    };
}
fn slots() -> Vec<u32> {
    Vec::new()
}
fn seven() -> u8 {
    7
}
defaults!(HasDefault, slots, self::slots);

macro_rules! flat {
    ($name:ident, $ty:ident, $default:ident) => {
        #[event(topic = "macros", key = id)]
        pub struct $name {
            pub id: String,
            #[event(default = $default)]
            pub value: $ty,
        }
    };
}
flat!(Flat, u8, seven);

macro_rules! event_of {
    ($item:item) => {
        #[event(topic = "macros", key = id)]
        $item
    };
}
event_of!(
    pub struct WholeItem {
        pub id: String,
        pub lines: Vec<u32>,
        pub note: Option<u64>,
    }
);

macro_rules! topics {
    ($name:ident, $topic:literal, $version:literal, $doc:literal, $reply:ty) => {
        #[doc = $doc]
        #[command(owner = "macros", topic = $topic, version = $version, key = id, reply = $reply)]
        pub struct $name {
            pub id: Wrapped,
        }
    };
}
topics!(Ask, "macros.asked", 3, "Asks.", Keyed);

macro_rules! payloads {
    ($name:ident, $inner:ty, $($variant:ident),*) => {
        #[payload]
        pub enum $name {
            $($variant($inner),)*
            #[event(other)]
            Unknown,
        }
    };
}
payloads!(Channel, u8, Web, Shop);

macro_rules! newtype {
    ($name:ident, $inner:ty) => {
        #[payload]
        pub struct $name(pub $inner);
        impl events_core::KeyPart for $name {
            fn key_part(&self) -> std::borrow::Cow<'_, str> {
                self.0.key_part()
            }
        }
    };
}
newtype!(Wrapped, String);

macro_rules! one_of {
    ($taken:ident, $returned:ident, $($event:ident),*) => {
        #[derive(OneOf)]
        pub enum $taken {
            $($event($event)),*
        }
        #[derive(Emission)]
        pub enum $returned {
            $(#[emission(failure)] $event($event)),*
        }
    };
}
one_of!(Taken, Returned, Keyed, Flat);

macro_rules! handles {
    ($name:ident, $argument:ident: $event:ty, $state:ty => $output:ty, $body:block) => {
        #[handler]
        async fn $name($argument: $event, state: State<$state>, _: Meta) -> $output {
            drop(state);
            $body
        }
    };
}
handles!(echo, taken: Taken, Vec<u8> => Returned, {
    match taken {
        Taken::Keyed(keyed) => Returned::Keyed(keyed),
        Taken::Flat(flat) => Returned::Flat(flat),
    }
});

macro_rules! plain {
    ($item:item) => {
        #[handler]
        $item
    };
}
plain!(
    async fn twice(ask: Ask) -> Option<Keyed> {
        Some(Keyed { order_id: ask.id.key_part().into_owned() })
    }
);

fn main() {
    use events_core::Event as _;
    assert_eq!(events_core::Registry::linked().handlers.len(), 2);
    let event = KeyedTwice { slots: 1, map: "a".to_owned() };
    assert_eq!(event.key().as_deref(), Some("1/a"));
    let flat: Flat = events_core::decode(Some(b"{\"id\":\"a\"}"), 1).unwrap();
    assert_eq!(flat.value, 7);
    let new: HasDefault = events_core::decode(Some(b"{\"id\":\"a\",\"lines\":[1]}"), 2).unwrap();
    assert_eq!((new.lines.len(), new.more.len()), (1, 0));
}
