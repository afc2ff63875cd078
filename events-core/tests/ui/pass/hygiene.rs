//! Names that generated code uses mean something else here.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, single_use_lifetimes, non_ascii_idents)]

#[allow(dead_code)]
mod hostile {
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Box;
    pub(crate) struct Vec;
    pub(crate) struct String;
    pub(crate) struct Cow;
    pub(crate) struct Emissions;
    pub(crate) struct Slot;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) trait Event {}
    pub(crate) trait Input {
        fn declare();
    }
    pub(crate) trait Emission {
        fn emit();
        fn declare_failures();
    }
    pub(crate) trait Send {}
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod alloc {}
    pub(crate) mod serde {}
    pub(crate) mod schemars {}
    pub(crate) mod inventory {}
    pub(crate) mod events_core {}
    pub(crate) fn drop() {}
    pub(crate) fn run() {}
    pub(crate) const fn declare() {}
}

mod user {
    use super::hostile::*;

    #[allow(unused_macros)]
    macro_rules! module_path {
        () => {
            compile_error!("the user's own macro")
        };
    }
    #[allow(unused_macros)]
    macro_rules! concat {
        () => {
            compile_error!("the user's own macro")
        };
    }

    #[::events_core::event(topic = "t", key = (map, slots), version = 2)]
    struct Placed {
        map: ::std::string::String,
        slots: u32,
        #[event(since = 2)]
        index: ::core::option::Option<u8>,
        #[event(default)]
        writer: u8,
        #[event(default = super::seven)]
        generator: u8,
        r#type: u8,
    }

    #[::events_core::event(topic = "t")]
    struct D;

    #[::events_core::event(topic = "t", key = 0)]
    struct S(u8);

    #[::events_core::event(topic = "t")]
    #[serde(rename_all = "camelCase")]
    struct Derived {
        unit_price: u8,
    }

    #[::events_core::payload]
    enum Colour {
        Red,
    }

    #[::events_core::event(topic = "t")]
    struct A {
        colour: Colour,
    }

    #[derive(::events_core::Emission)]
    enum Outcome {
        D(D),
        #[emission(failure)]
        S(S),
        Quiet,
    }

    #[derive(::events_core::OneOf)]
    enum Either {
        D(D),
        S(S),
    }

    #[::events_core::handler]
    async fn slot(
        emissions: Placed,
        attempt: ::events_core::Meta,
        delivery: ::events_core::Publisher,
        argument_0: ::events_core::Cancellation,
    ) -> Outcome {
        let _ = (attempt, delivery, argument_0, emissions.map, emissions.slots, emissions.index);
        let _ = (emissions.writer, emissions.generator, emissions.r#type);
        Outcome::D(D)
    }

    #[::events_core::handler(blocking, retry(attempts = 2), timeout = "1s")]
    fn run(Derived { unit_price }: Derived, _: ::events_core::Meta) -> Outcome {
        if unit_price > 1 { Outcome::S(S(unit_price)) } else { Outcome::Quiet }
    }

    #[::events_core::handler]
    async fn prepare(mut either: Either) -> ::events_core::Result<()> {
        if let Either::S(S(count)) = &mut either {
            *count += 1;
        }
        if let Either::D(D) = either {
            return ::core::result::Result::Ok(());
        }
        ::core::result::Result::Err(::events_core::Error::msg("no"))
    }

    #[::events_core::handler]
    async fn r#match(event: A) {
        match event.colour {
            Colour::Red => {}
        }
    }

    pub(super) const HOSTILE: (Result, Option, Box, Vec) = (Result, Option, Box, Vec);
}

fn seven() -> u8 {
    7
}

fn main() {
    let _ = user::HOSTILE;
    let registry = events_core::Registry::linked();
    assert_eq!(registry.handlers.len(), 4);
    assert_eq!(registry.events.len(), 5);
    assert!(registry.handlers.iter().any(|handler| handler.name == "match"));
}
