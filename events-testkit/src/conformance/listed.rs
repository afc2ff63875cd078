//! The suite's own list of events and handlers.
//!
//! Handlers are usually collected over the whole binary. Those of the suite must not be: a binary that uses this crate
//! for its own tests would run them. So the macros are told to find the core here (`crate = …`), where everything is
//! the core's own, but what is submitted goes to lists of the suite.

use events_core::__private::inventory;
use events_core::Registry;

use __private::{EventRegistration, HandlerRegistration};

/// What generated code names.
pub(crate) mod __private {
    pub(crate) use events_core::__private::*;

    /// An event of the suite.
    pub(crate) struct EventRegistration(pub(crate) &'static EventDescriptor);
    /// A handler of the suite.
    pub(crate) struct HandlerRegistration(pub(crate) &'static HandlerDescriptor);
}

inventory::collect!(EventRegistration);
inventory::collect!(HandlerRegistration);

/// The suite's events, and the handlers of one of its services.
pub(crate) fn registry(service: &str) -> Registry {
    let handlers = inventory::iter::<HandlerRegistration>().map(|handler| handler.0);
    Registry {
        events: inventory::iter::<EventRegistration>()
            .map(|event| event.0)
            .collect(),
        handlers: handlers
            .filter(|handler| handler.options.service == Some(service))
            .collect(),
        ..Registry::default()
    }
}

/// An event with a key and a number, and a handler of it that does what the scenario's probe says.
macro_rules! subject {
    ($event:ident, $handler:ident, $name:literal $(, $($option:tt)+)?) => {
        #[events_core::event(topic = $name, name = $name, key = key, crate = crate::conformance::listed)]
        pub(crate) struct $event {
            pub(crate) key: String,
            pub(crate) seq: u64,
        }

        impl crate::conformance::stage::Subject for $event {
            fn new(key: &str, seq: u64) -> Self {
                Self { key: key.to_owned(), seq }
            }
        }

        crate::conformance::listed::reader!($event, $handler, $name $(, $($option)+)?);
    };
}

/// A handler that does what the scenario's probe says.
macro_rules! reader {
    ($event:ident, $handler:ident, $name:literal $(, $($option:tt)+)?) => {
        #[events_core::handler(service = $name, crate = crate::conformance::listed $(, $($option)+)?)]
        async fn $handler(
            event: $event,
            probe: events_core::State<crate::conformance::probe::Probe>,
        ) -> events_core::Result<()> {
            probe.attempt(stringify!($handler), &event.key, event.seq).await
        }
    };
}
pub(crate) use {reader, subject};
