//! What the warehouse says.

use events_core::event;

/// The CDs of an order were set aside.
#[event(topic = "inventory", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockReserved {
    /// The order that they wait for.
    pub order_id: String,
    /// Who will get them.
    pub customer_id: String,
    /// How many were set aside.
    pub cds: u32,
}

/// There are not enough CDs left for a paid order.
#[event(topic = "inventory", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRefused {
    /// The order that gets none.
    pub order_id: String,
    /// Who gets none.
    pub customer_id: String,
    /// How many were wanted.
    pub cds: u32,
    /// How many were left.
    pub left: u32,
    /// How much was paid for the order, as the payment said it.
    pub amount_cents: u64,
}
