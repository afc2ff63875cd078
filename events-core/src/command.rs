//! Commands: what one service is told to do.

use crate::event::{Event, Fact};

/// An imperative with exactly one owning service. Implemented by `#[command]`.
///
/// On the wire it is an event like any other, and a handler takes it as it takes an event. The difference is who may: an
/// event may be handled by any number of services, a command by its owner alone. A handler of another service is a
/// start-up fault.
///
/// # Delivery
///
/// That of events: handled at least once, and once within the window of duplicates (D3); commands with the same key in
/// order (D2).
///
/// # Examples
///
/// ```
/// use events_core::{command, event, handler, Result};
///
/// /// An order was accepted.
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
///
/// /// Sets stock aside for an order. Its topic is `inventory.reserve-stock`.
/// #[command(owner = "inventory", key = order_id)]
/// pub struct ReserveStock { pub order_id: String }
///
/// #[handler(service = "orders")]
/// async fn ask_for_stock(order: OrderPlaced) -> ReserveStock {
///     ReserveStock { order_id: order.order_id } // returning it sends it
/// }
///
/// #[handler(service = "inventory")]
/// async fn reserve_stock(command: ReserveStock) { drop(command); }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no command",
    label = "not a command",
    note = "annotate the struct with `#[command(owner = \"…\")]`; an event is published instead: `producer.publish(&event)`"
)]
pub trait Command: Event {}

/// A command that is answered. Implemented by `#[command(reply = …)]`.
///
/// The owner's handler returns the reply as it returns any event; whoever sent the command by `request` gets it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no reply to wait for",
    label = "not a command with a reply",
    note = "say which event answers it: `#[command(owner = \"…\", reply = StockReply)]`, or send it without waiting: `.send(&command)`"
)]
pub trait Request: Command {
    /// The event that answers it.
    type Reply: Fact;
}
