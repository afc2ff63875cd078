//! What the shop's front says.

use events_core::event;

/// A customer ordered CDs.
#[event(topic = "orders", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlaced {
    /// The order, unique for ever.
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// The day, as `1997-01-31`.
    pub placed_on: String,
    /// How many CDs.
    pub cds: u32,
    /// What they cost together. Some orders cost nothing.
    pub amount_cents: u64,
}
