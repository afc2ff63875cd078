//! Without the prelude, and inside of a function.

#![no_implicit_prelude]

#[::events_core::event(topic = "t", key = id)]
struct Placed {
    id: ::std::string::String,
    note: ::core::option::Option<u8>,
}

#[::events_core::event(topic = "t")]
struct Ping;

#[::events_core::handler]
async fn reserve(placed: Placed) -> ::events_core::Result<Ping> {
    let _ = (placed.id, placed.note);
    ::core::result::Result::Ok(Ping)
}

fn main() {
    #[::events_core::event(topic = "t", key = id)]
    struct Inner {
        id: u32,
    }

    #[::events_core::handler(blocking)]
    fn inner(inner: Inner) {
        let _ = inner.id;
    }

    let registry = ::events_core::Registry::linked();
    ::std::assert_eq!(registry.handlers.len(), 2);
    ::std::assert_eq!(registry.events.len(), 3);
}
