//! A thousand handlers, each with an event of its own: what the macros would have registered, made at run time. Compiled
//! from text they would take longer to build than all the rest.

use std::sync::LazyLock;

use anyhow::{Context, Result};
use events_core::__private::Declared;
use events_core::{EventDescriptor, HandlerDescriptor, Registry, handler};

use crate::parcels::ParcelSent;
use crate::start::{HANDLERS, TOPICS};

type Takes = fn(&mut Vec<&'static EventDescriptor>);

/// The events by number.
static EVENTS: LazyLock<Vec<EventDescriptor>> =
    LazyLock::new(|| (0..HANDLERS).map(event).collect());

fn event(number: usize) -> EventDescriptor {
    EventDescriptor::new::<ParcelSent>(Declared {
        owner: None,
        name: leaked(format!("bench.event-{number}")),
        rust_path: leaked(format!("bench::events::Event{number}")),
        package: "bench",
        topic: TOPICS[number % TOPICS.len()],
        version: 1,
        key: &["customer"],
        topic_default: false,
        topic_exclusive: false,
        fields: &[],
        location: "bench",
        deprecated: None,
        lock: "",
        locked: &[],
        switch: None,
        doc: "An event.",
    })
}

fn takes<const NUMBER: usize>(types: &mut Vec<&'static EventDescriptor>) {
    types.push(&EVENTS[NUMBER]);
}

/// A descriptor names its events by a function without state, so each handler has one of its own.
const TAKES: [[[Takes; 10]; 10]; 10] = hundreds();

macro_rules! digits {
    ($of:ident, $($before:expr)?) => {
        [
            $of!(0 $(+ $before)?), $of!(1 $(+ $before)?), $of!(2 $(+ $before)?), $of!(3 $(+ $before)?),
            $of!(4 $(+ $before)?), $of!(5 $(+ $before)?), $of!(6 $(+ $before)?), $of!(7 $(+ $before)?),
            $of!(8 $(+ $before)?), $of!(9 $(+ $before)?),
        ]
    };
}

macro_rules! ones {
    ($number:expr) => {
        takes::<{ $number }>
    };
}

macro_rules! tens {
    ($number:expr) => {
        digits!(ones, 10 * ($number))
    };
}

macro_rules! of_hundreds {
    ($number:expr) => {
        digits!(tens, 10 * ($number))
    };
}

const fn hundreds() -> [[[Takes; 10]; 10]; 10] {
    digits!(of_hundreds,)
}

/// The handlers and their events.
pub(super) fn of_many() -> Result<Registry> {
    let linked = Registry::linked();
    let mut known = linked.handlers.iter();
    let pattern = known
        .find(|handler| handler.module == module_path!())
        .context("the pattern of the handlers is not linked")?;
    let handler = |(number, takes): (usize, &Takes)| -> &'static HandlerDescriptor {
        Box::leak(Box::new(HandlerDescriptor {
            name: leaked(format!("handler_{number}")),
            module: "bench::handlers",
            takes: *takes,
            ..**pattern
        }))
    };
    Ok(Registry {
        events: EVENTS.iter().collect(),
        handlers: TAKES
            .as_flattened()
            .as_flattened()
            .iter()
            .enumerate()
            .map(handler)
            .collect(),
        ..Registry::default()
    })
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// What all of them are but for their names and events. None is ever called: the topics are empty.
#[handler]
async fn pattern(parcel: ParcelSent) {
    drop(parcel);
}
