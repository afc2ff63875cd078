//! Code around every attempt and every publish of a service.

use std::future::Future;
use std::pin::Pin;

use crate::Result;
use crate::delivery::{AttemptContext, Delivery};
use crate::event::EventDescriptor;
use crate::record::Outgoing;

/// An attempt that is on its way.
pub type Attempt<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Code around every attempt of a service's handlers, and a hook on what it publishes.
///
/// Layers run in the order in which they were added, the first outermost. A service without any pays nothing; one with
/// a layer pays an allocation for each attempt. A layer that panics fails the record it was called for, as its handler would;
/// so does its future, or what it left for extractors, that panics when it is dropped.
///
/// # Cancel safety
///
/// An abandoned attempt is dropped together with what [`around`](Self::around) put about it.
///
/// # Examples
///
/// ```
/// use events_core::{AttemptContext, Delivery, Error, EventDescriptor, Middleware, Outgoing, Result};
///
/// struct Tenancy;
///
/// impl Middleware for Tenancy {
///     fn before(&self, delivery: &Delivery<'_>, context: &AttemptContext) -> Result<()> {
///         let tenant = delivery.header("tenant").ok_or_else(|| Error::msg("no tenant"))?;
///         context.extend(String::from_utf8_lossy(tenant).into_owned());
///         Ok(())
///     }
///     fn on_publish(&self, _: &EventDescriptor, record: &mut Outgoing) {
///         record.add_header("tenant", "acme");
///     }
/// }
/// ```
pub trait Middleware: Send + Sync + 'static {
    /// Runs before the record is decoded. It may leave values for extractors with [`AttemptContext::extend`].
    ///
    /// # Errors
    ///
    /// An error refuses the attempt, and counts as its error.
    fn before(&self, _delivery: &Delivery<'_>, _context: &AttemptContext) -> Result<()> {
        Ok(())
    }

    /// Wraps the attempt: to time it, to put a span or a task-local value around it, to change its error.
    ///
    /// The attempt of a blocking handler is wrapped on its own thread: there the whole future is driven to its end, so that
    /// what it awaits beside the attempt keeps the thread.
    fn around<'a>(&'a self, attempt: Attempt<'a>) -> Attempt<'a> {
        attempt
    }

    /// Runs on every record that the service's handlers publish, before it is enqueued: the place for custom headers. The
    /// attempt has succeeded by then; a panic fails it all the same, so it is made again.
    fn on_publish(&self, _event: &EventDescriptor, _record: &mut Outgoing) {}
}
