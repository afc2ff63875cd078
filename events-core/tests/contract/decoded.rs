//! Events as the macros make them, old and new: what is called compatible really decodes, and what is called breaking
//! does not always.

use events_core::contract::{Version, reads};
use events_core::{Event, decode, encode};
use fastrand::Rng;
use serde_json::Value;

use crate::schemas::payload;

const PAYLOADS: usize = 300;

mod before {
    use events_core::{event, payload};

    #[event(topic = "pairs", key = id)]
    pub(super) struct Placed {
        pub(super) id: String,
        pub(super) cents: u64,
        pub(super) note: Option<String>,
        pub(super) lines: Vec<Line>,
        pub(super) way: Way,
    }

    #[payload]
    pub(super) struct Line {
        pub(super) sku: String,
        pub(super) count: u16,
    }

    #[payload]
    pub(super) enum Way {
        Post {
            days: u8,
        },
        Shop(u32),
        Self_,
        #[event(other)]
        Unknown,
    }

    #[event(topic = "pairs")]
    pub(super) struct Counted(pub(super) u32);
}

mod compatible {
    use events_core::{event, payload};

    #[event(topic = "pairs", key = id, version = 2)]
    pub(super) struct Placed {
        pub(super) id: String,
        pub(super) cents: u64,
        pub(super) note: Option<String>,
        pub(super) lines: Vec<Line>,
        pub(super) way: Way,
        #[event(since = 2)]
        pub(super) coupon: Option<String>,
        #[event(since = 2, default)]
        pub(super) weight: u32,
    }

    #[payload]
    pub(super) struct Line {
        pub(super) sku: String,
        pub(super) count: u16,
        pub(super) gift: Option<bool>,
    }

    #[payload]
    pub(super) enum Way {
        Post {
            days: u8,
        },
        Shop(u32),
        Self_,
        Drone {
            height: i16,
        },
        Boat,
        #[event(other)]
        Unknown,
    }
}

mod breaking {
    use events_core::{event, payload};

    #[event(topic = "pairs", key = id, version = 2)]
    pub(super) struct Placed {
        pub(super) id: String,
        pub(super) cents: u64,
        pub(super) note: String,
        pub(super) lines: Vec<Line>,
        pub(super) way: Option<String>,
    }

    #[payload]
    pub(super) struct Line {
        pub(super) sku: String,
        pub(super) count: u8,
    }

    #[event(topic = "pairs", version = 2)]
    pub(super) struct Counted(pub(super) i32);
}

fn schema<E: Event>() -> Value {
    Version::of(E::DESCRIPTOR).schema
}

/// What `W` writes, until there is something that `R` cannot read.
fn refused<W: Event, R: Event>() -> Option<String> {
    let mut rng = Rng::with_seed(7);
    let schema = schema::<W>();
    let version = W::DESCRIPTOR.version;
    let mut written = 0;
    for _ in 0..PAYLOADS {
        let text = payload(&mut rng, &schema, &schema).to_string();
        // What the writer's own type does not take was never written.
        let Ok(event) = decode::<W>(Some(text.as_bytes()), version) else {
            continue;
        };
        let value = encode(&event).expect("it was read").value;
        written += 1;
        if decode::<R>(Some(&value), version).is_err() {
            return Some(String::from_utf8(value).expect("JSON is text"));
        }
    }
    assert!(written > PAYLOADS / 2, "only {written} payloads fit");
    None
}

fn hold<W: Event, R: Event>(is_read: bool) {
    let breaks = reads(&schema::<W>(), &schema::<R>());
    let refused = refused::<W, R>();
    let names = (W::DESCRIPTOR.rust_path, R::DESCRIPTOR.rust_path);
    assert_eq!(breaks.is_empty(), is_read, "{names:?}: {breaks:?}");
    assert_eq!(refused.is_none(), is_read, "{names:?}: {refused:?}");
    if let Some(payload) = refused {
        println!("{}: {}: {payload}", breaks[0].at, breaks[0].why);
    }
}

#[test]
fn what_is_compatible_decodes_and_what_breaks_does_not() {
    hold::<before::Placed, before::Placed>(true);
    hold::<before::Placed, compatible::Placed>(true);
    hold::<compatible::Placed, before::Placed>(true);
    hold::<before::Placed, breaking::Placed>(false);
    hold::<breaking::Placed, before::Placed>(false);
    hold::<compatible::Placed, breaking::Placed>(false);
    hold::<before::Counted, before::Counted>(true);
    hold::<before::Counted, breaking::Counted>(false);
    hold::<breaking::Counted, before::Counted>(false);
}
