//! Upcasters: what makes a payload of an earlier version one of the current.
//!
//! They are looked for only where a record says that it is older than what this build writes. A step goes from encoded
//! payload to encoded payload, so that it needs to know nothing of the steps around it, nor of the codec.

mod faults;

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::error::DecodeError;
use crate::event::EventDescriptor;
use crate::{Error, Result};

pub(crate) use self::faults::check;

inventory::collect!(UpcasterRegistration);

/// An upcaster, as `#[upcast]` submits it.
#[derive(Debug)]
pub struct UpcasterRegistration(pub &'static Upcaster);

/// One step from an earlier version of an event type to a later one. Made by `#[upcast]`; collected by `inventory`.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Upcaster {
    /// The event type.
    pub event: &'static EventDescriptor,
    /// The version that it takes.
    pub from: u32,
    /// The version that it makes of it.
    pub to: u32,
    /// Path of the function.
    pub path: &'static str,
    /// Where it stands, `file:line`.
    pub location: &'static str,
    apply: fn(&[u8]) -> Result<Vec<u8>>,
}

impl Upcaster {
    /// Made by `#[upcast]` only.
    #[doc(hidden)]
    pub const fn new(
        event: &'static EventDescriptor,
        (from, to): (u32, u32),
        (path, location): (&'static str, &'static str),
        apply: fn(&[u8]) -> Result<Vec<u8>>,
    ) -> Self {
        Self {
            event,
            from,
            to,
            path,
            location,
            apply,
        }
    }
}

impl fmt::Debug for Upcaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upcaster")
            .field("event", &self.event.name)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The payload of a record of version `found` as one of the version that this build writes; the payload itself where
/// no upcaster takes part.
///
/// [`decode`](crate::decode) does so by itself. This is for whoever shows payloads, or stores them.
///
/// The first step is the earliest that takes `found` or a later version: where a version has no upcaster of its own, it is
/// read as the next that has, since versions are compatible.
///
/// # Errors
///
/// [`DecodeError::Upcast`], which names the step.
///
/// # Panics
///
/// When an upcaster does.
///
/// # Examples
///
/// ```
/// use events_core::{event, payload, upcast, Event};
///
/// #[event(topic = "orders", version = 2)]
/// pub struct OrderPlaced {
///     pub order_id: String,
///     #[event(since = 2, upcast)]
///     pub currency: String,
/// }
///
/// #[payload]
/// pub struct OrderPlacedV1 { pub order_id: String }
///
/// #[upcast(from = 1)]
/// fn in_euros(old: OrderPlacedV1) -> OrderPlaced {
///     OrderPlaced { order_id: old.order_id, currency: "EUR".to_owned() }
/// }
///
/// let now = events_core::to_current(OrderPlaced::DESCRIPTOR, br#"{"order_id":"o-1"}"#, 1).unwrap();
/// assert_eq!(*now, *br#"{"order_id":"o-1","currency":"EUR"}"#);
/// ```
pub fn to_current<'a>(
    event: &EventDescriptor,
    value: &'a [u8],
    found: u32,
) -> Result<Cow<'a, [u8]>> {
    let mut version = found;
    let mut value = Cow::Borrowed(value);
    while let Some(step) = step(event, version) {
        let made = (step.apply)(&value).map_err(|source| {
            Error::new(DecodeError::Upcast {
                event: event.name,
                from: step.from,
                to: step.to,
                path: step.path,
                source,
            })
        })?;
        value = Cow::Owned(made);
        version = step.to;
    }
    Ok(value)
}

/// Whether records of `event` that are older than it may need more than its reader.
pub fn is_upcast(event: &EventDescriptor) -> bool {
    step(event, 0).is_some()
}

/// The next step of a payload of `version`; every step leads to a later version, so that there is an end.
fn step(event: &EventDescriptor, version: u32) -> Option<&'static Upcaster> {
    if version >= event.version {
        return None;
    }
    let all = linked();
    let place = |step: &&Upcaster| (step.event.rust_path, step.from) < (event.rust_path, version);
    let next = *all.get(all.partition_point(place))?;
    let is_own = next.event.rust_path == event.rust_path;
    (is_own && next.to > next.from && next.from < event.version).then_some(next)
}

/// What is linked, by the event's Rust path and in ascending order: searched for each older record, also of types that
/// have none, and few enough that this is less than hashing a path.
fn linked() -> &'static [&'static Upcaster] {
    static LINKED: OnceLock<Vec<&'static Upcaster>> = OnceLock::new();
    LINKED.get_or_init(|| {
        let linked = inventory::iter::<UpcasterRegistration>();
        let mut all: Vec<_> = linked.map(|UpcasterRegistration(step)| *step).collect();
        all.sort_by_key(|step| (step.event.rust_path, step.from));
        all
    })
}

/// The value of an older record as [`to_current`] makes it. Not inlined: a record of the current version pays one
/// comparison.
#[cold]
#[inline(never)]
pub(crate) fn older<'a>(
    event: &EventDescriptor,
    value: Option<&'a [u8]>,
    found: u32,
) -> Result<Option<Cow<'a, [u8]>>> {
    value
        .map(|value| to_current(event, value, found))
        .transpose()
}

/// One step, as `#[upcast]` puts it together: reads the old payload, and encodes the new one.
pub fn apply<C: Codec, Old: Earlier, New: Later>(
    value: &[u8],
    upcast: impl FnOnce(Old) -> Result<New>,
) -> Result<Vec<u8>> {
    let old = C::decode::<Old>(value)
        .map_err(|error| error.context(format!("the value is no {}", type_name::<Old>())))?;
    let mut encoded = Vec::new();
    C::encode(&upcast(old)?, &mut encoded)?;
    Ok(encoded)
}

/// What an upcaster can take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no payload of an earlier version",
    label = "cannot be read",
    note = "annotate it with `#[payload]`, or take raw JSON, `serde_json::Value`"
)]
pub trait Earlier: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Earlier for T {}

/// What an upcaster can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no payload of a later version",
    label = "cannot be written",
    note = "return the event itself, a type with `#[payload]`, raw JSON (`serde_json::Value`), or a `Result` of one of them"
)]
pub trait Later: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Later for T {}
