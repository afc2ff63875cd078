//! What a handler takes: one event type, or one of several.

use crate::Result;
use crate::delivery::Delivery;
use crate::event::{Event, EventDescriptor};

/// The first argument of a handler: an event, or an enum of events with `#[derive(OneOf)]`.
///
/// # Examples
///
/// ```
/// use events_core::{event, handler, OneOf};
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderCancelled { pub order_id: String }
///
/// #[derive(OneOf)]
/// pub enum OrderChanged { Placed(OrderPlaced), Cancelled(OrderCancelled) }
///
/// #[handler]
/// async fn project(change: OrderChanged) {
///     match change {
///         OrderChanged::Placed(order) => println!("placed {}", order.order_id),
///         OrderChanged::Cancelled(order) => println!("cancelled {}", order.order_id),
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` as its event",
    label = "neither an event nor one of several",
    note = "the first argument is an `#[event]` type, or an enum of them with `#[derive(OneOf)]`"
)]
pub trait Input: Sized + Send + 'static {
    /// Names the event types that a value may hold.
    fn declare(types: &mut Vec<&'static EventDescriptor>);

    /// Reads the record.
    ///
    /// # Errors
    ///
    /// [`DecodeError`](crate::DecodeError).
    fn decode(delivery: &Delivery<'_>) -> Result<Self>;
}

// Otherwise the compiler would say that something is no event, and not what else may be taken.
#[diagnostic::do_not_recommend]
impl<E: Event> Input for E {
    fn declare(types: &mut Vec<&'static EventDescriptor>) {
        types.push(E::DESCRIPTOR);
    }

    fn decode(delivery: &Delivery<'_>) -> Result<E> {
        crate::decode(delivery.record().value(), delivery.version())
    }
}
