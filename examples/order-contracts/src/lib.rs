//! What the services of the order choreography tell each other, and all that they know of each other.
//!
//! ```text
//! OrderPlaced ─► payments ─┬─► PaymentDeclined                                            an ending
//!                          └─► PaymentCaptured ─► inventory ─┬─► StockReserved ─► shipping ─► OrderShipped    an ending
//!                                                            └─► StockRefused ─► payments ─► PaymentRefunded  an ending
//! ```
//!
//! Every event has the customer as its key, so that each handler sees a customer's orders in the order in which they
//! were placed. Customers are independent of each other and handled at the same time.

#![forbid(unsafe_code)]

mod inventory;
mod orders;
mod payments;
mod shipping;

pub use inventory::{StockRefused, StockReserved};
pub use orders::OrderPlaced;
pub use payments::{PaymentCaptured, PaymentDeclined, PaymentRefunded};
pub use shipping::OrderShipped;

// What was released stands in `contracts/`, and this crate keeps to it.
events_core::contracts_test!();
