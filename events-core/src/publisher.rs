//! Publishing by hand from within a handler.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::command::Command;
use crate::emission::Emissions;
use crate::event::{Event, EventDescriptor, Fact};
use crate::{Error, Result};

/// Publishes events, and sends commands, from within a handler, where returning them is not handy.
///
/// # Delivery
///
/// The events are published behind those that the handler returns, when the attempt has succeeded; an attempt that fails
/// publishes none. They carry the record's causation, and the record is done once they are acknowledged.
///
/// # Errors
///
/// [`publish`](Self::publish) fails when the event cannot be encoded, when the handler neither returns its type nor names it
/// in `emits(…)`, or when the attempt is over. The topics, rights and cycles of a service are known from what its handlers
/// declare, so what nobody declared is not published.
///
/// # Examples
///
/// ```
/// use events_core::{event, handler, Publisher, Result};
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
/// #[event(topic = "audit")]
/// pub struct Audited { pub text: String }
///
/// #[handler(emits(Audited))]
/// async fn audit(order: OrderPlaced, publisher: Publisher) -> Result<()> {
///     publisher.publish(&Audited { text: order.order_id })
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Publisher(Arc<Mutex<Buffer>>);

#[derive(Debug)]
struct Buffer {
    emissions: Emissions,
    /// The types that it takes; any, if none.
    declared: Option<Arc<[&'static EventDescriptor]>>,
    open: bool,
}

impl Default for Publisher {
    fn default() -> Self {
        Self::of(None)
    }
}

impl Publisher {
    /// One that takes the declared types alone.
    pub(crate) fn of(declared: Option<Arc<[&'static EventDescriptor]>>) -> Self {
        Self(Arc::new(Mutex::new(Buffer {
            emissions: Emissions::new(),
            declared,
            open: true,
        })))
    }

    /// Adds an event to what this attempt publishes.
    ///
    /// # Errors
    ///
    /// See the type.
    pub fn publish<E: Fact>(&self, event: &E) -> Result<()> {
        self.push(event)
    }

    /// Adds a command to what this attempt sends. The same promises hold as for an event: it goes out when the attempt has
    /// succeeded, and carries the record's causation.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Examples
    ///
    /// ```
    /// use events_core::{command, event, handler, Publisher, Result};
    ///
    /// #[event(topic = "orders", key = order_id)]
    /// pub struct OrderPlaced { pub order_id: String }
    /// #[command(owner = "inventory", key = order_id)]
    /// pub struct ReserveStock { pub order_id: String }
    ///
    /// #[handler(emits(ReserveStock))]
    /// async fn ask_for_stock(order: OrderPlaced, publisher: Publisher) -> Result<()> {
    ///     publisher.send(&ReserveStock { order_id: order.order_id })
    /// }
    /// ```
    pub fn send<C: Command>(&self, command: &C) -> Result<()> {
        self.push(command)
    }

    fn push<E: Event>(&self, event: &E) -> Result<()> {
        let mut buffer = self.buffer();
        if !buffer.open {
            return Err(Error::msg(format!(
                "the attempt that this publisher belongs to is over, so {} was not published: publish before the handler returns, or use a producer",
                E::DESCRIPTOR.name
            )));
        }
        let name = E::DESCRIPTOR.name;
        let is = |declared: &&EventDescriptor| declared.name == name;
        if let Some(declared) = &buffer.declared
            && !declared.iter().any(is)
        {
            let path = E::DESCRIPTOR.rust_path;
            let short = path.rsplit("::").next().unwrap_or(path);
            return Err(Error::msg(format!(
                "the handler does not declare that it emits {name}, so it was not published: add `emits({short})` to its #[handler(…)]"
            )));
        }
        buffer.emissions.push(event)
    }

    pub(crate) fn close(&self, into: &mut Emissions) {
        let mut buffer = self.buffer();
        buffer.open = false;
        into.append(&mut buffer.emissions);
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        // What a panicking `Serialize` left half-written lies behind the last entry, where nothing points to it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
