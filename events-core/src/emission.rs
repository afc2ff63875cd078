//! What a handler returns is published.

use std::collections::VecDeque;

use crate::Result;
use crate::error::Failure;
use crate::event::{Encodable, Event, EventDescriptor, cannot_encode};

/// What a handler may return: nothing, an event, several, or one of several.
///
/// Implemented for events, `()`, `Option`, `Vec`, `VecDeque`, arrays, tuples, `Box` and `Result` of what may be returned, and
/// enums with `#[derive(Emission)]`.
///
/// A variant with `#[emission(failure)]` holds an event by which the handler tells of a failure that somebody has to make
/// good. The choreography graph shows it as one, and the company's check finds it where nobody handles it. It is
/// published like any other; an `Err` is something else: the attempt failed, and is made again.
///
/// # Delivery
///
/// All events of a return value are published when the handler has succeeded, in their order, and the record counts as
/// done once they are acknowledged. Their ids are functions of the record (D4), so a handler that runs again must
/// return the same events.
///
/// # Examples
///
/// ```
/// use events_core::{event, handler, Emission, Result};
///
/// #[event(topic = "payments", key = order_id)]
/// pub struct PaymentCaptured { pub order_id: String, pub pieces: u32 }
/// #[event(topic = "inventory", key = order_id)]
/// pub struct StockReserved { pub order_id: String }
/// #[event(topic = "inventory", key = order_id)]
/// pub struct StockRefused { pub order_id: String }
///
/// #[derive(Emission)]
/// pub enum Answer {
///     Reserved(StockReserved),
///     // The customer has paid already.
///     #[emission(failure)]
///     Refused(StockRefused),
/// }
///
/// #[handler]
/// async fn reserve(paid: PaymentCaptured) -> Result<Answer> {
///     let order_id = paid.order_id;
///     Ok(if paid.pieces <= 8 {
///         Answer::Reserved(StockReserved { order_id })
///     } else {
///         Answer::Refused(StockRefused { order_id })
///     })
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from a handler",
    label = "neither an event nor made of events",
    note = "return `()`, an `#[event]` type, an `Option`, `Vec` or tuple of them, a `Result` of those, or an enum with `#[derive(Emission)]`"
)]
pub trait Emission: Sized {
    /// Names every event type that a value may hold.
    fn declare(types: &mut Vec<&'static EventDescriptor>);

    /// Names those of them that tell of a failure, which somebody has to make good: the events of variants with
    /// `#[emission(failure)]`. None by default.
    fn declare_failures(types: &mut Vec<&'static EventDescriptor>) {
        let _ = types;
    }

    /// Encodes the events of this value.
    ///
    /// # Errors
    ///
    /// The handler's own error, or the codec's.
    fn emit(self, emissions: &mut Emissions) -> Result<()>;
}

/// The encoded events of one attempt: a buffer that is used again.
#[derive(Debug, Default)]
pub struct Emissions {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    event: &'static EventDescriptor,
    /// End of the key in `bytes`, which starts where the last entry ended; none for no key.
    key_end: Option<usize>,
    start: usize,
    end: usize,
}

/// One encoded event.
#[derive(Debug, Clone, Copy)]
pub struct Emitted<'a> {
    /// Its type.
    pub event: &'static EventDescriptor,
    /// Its key.
    pub key: Option<&'a str>,
    /// Its payload, encoded.
    pub value: &'a [u8],
}

impl Emissions {
    /// No events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Encodes one more event.
    ///
    /// # Errors
    ///
    /// The codec's, with the event's name put around it; then the event is left out.
    pub fn push<E: Event>(&mut self, event: &E) -> Result<()> {
        self.push_dyn(E::DESCRIPTOR, event)
    }

    /// Not generic, so that it is compiled once and not for every event.
    fn push_dyn(
        &mut self,
        descriptor: &'static EventDescriptor,
        event: &dyn Encodable,
    ) -> Result<()> {
        let start = self.bytes.len();
        let key_end = event.record_key().map(|key| {
            self.bytes.extend_from_slice(key.as_bytes());
            self.bytes.len()
        });
        if let Err(error) = event.encode_into(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(cannot_encode(descriptor, error));
        }
        self.entries.push(Entry {
            event: descriptor,
            key_end,
            start,
            end: self.bytes.len(),
        });
        Ok(())
    }

    /// The events in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Emitted<'_>> {
        self.entries.iter().map(|entry| {
            let value = entry.key_end.unwrap_or(entry.start);
            Emitted {
                event: entry.event,
                // The bytes came from a `&str` in `push_dyn`.
                key: entry
                    .key_end
                    .map(|end| std::str::from_utf8(&self.bytes[entry.start..end]).unwrap_or("")),
                value: &self.bytes[value..entry.end],
            }
        })
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets all events and keeps the memory, up to 64 KiB.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        // One large event must not pin its size in every slot for ever.
        self.bytes.shrink_to(64 * 1024);
    }

    /// Moves the events of `other` behind these.
    pub fn append(&mut self, other: &mut Self) {
        let base = self.bytes.len();
        self.bytes.append(&mut other.bytes);
        self.entries
            .extend(other.entries.drain(..).map(|entry| Entry {
                event: entry.event,
                key_end: entry.key_end.map(|end| end + base),
                start: entry.start + base,
                end: entry.end + base,
            }));
    }
}

impl Emission for () {
    fn declare(_: &mut Vec<&'static EventDescriptor>) {}
    fn emit(self, _: &mut Emissions) -> Result<()> {
        Ok(())
    }
}

macro_rules! collections {
    ($([$($parameter:tt)*] $collection:ty),* $(,)?) => {$(
        impl<T: Emission, $($parameter)*> Emission for $collection {
            fn declare(types: &mut Vec<&'static EventDescriptor>) {
                T::declare(types);
            }
            fn declare_failures(types: &mut Vec<&'static EventDescriptor>) {
                T::declare_failures(types);
            }
            fn emit(self, emissions: &mut Emissions) -> Result<()> {
                self.into_iter().try_for_each(|value| value.emit(emissions))
            }
        }
    )*};
}

// Those that have an order: a set without one would give its events other ids at each run.
collections! { [] Option<T>, [] Vec<T>, [] VecDeque<T>, [] Box<[T]>, [const N: usize] [T; N] }

impl<T: Emission> Emission for Box<T> {
    fn declare(types: &mut Vec<&'static EventDescriptor>) {
        T::declare(types);
    }
    fn declare_failures(types: &mut Vec<&'static EventDescriptor>) {
        T::declare_failures(types);
    }
    fn emit(self, emissions: &mut Emissions) -> Result<()> {
        (*self).emit(emissions)
    }
}

impl<T: Emission, E: Failure> Emission for Result<T, E> {
    fn declare(types: &mut Vec<&'static EventDescriptor>) {
        T::declare(types);
    }
    fn declare_failures(types: &mut Vec<&'static EventDescriptor>) {
        T::declare_failures(types);
    }
    fn emit(self, emissions: &mut Emissions) -> Result<()> {
        self.map_err(Failure::into_error)?.emit(emissions)
    }
}

macro_rules! tuples {
    ($(($($part:ident),+))*) => {$(
        impl<$($part: Emission),+> Emission for ($($part,)+) {
            fn declare(types: &mut Vec<&'static EventDescriptor>) {
                $($part::declare(types);)+
            }
            fn declare_failures(types: &mut Vec<&'static EventDescriptor>) {
                $($part::declare_failures(types);)+
            }
            fn emit(self, emissions: &mut Emissions) -> Result<()> {
                #[allow(non_snake_case, reason = "the type parameters name the parts")]
                let ($($part,)+) = self;
                $($part.emit(emissions)?;)+
                Ok(())
            }
        }
    )*};
}

tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }
