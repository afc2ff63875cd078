//! What the till says.

use events_core::event;

/// The customer's money is here.
#[event(topic = "payments", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentCaptured {
    /// The order that was paid.
    pub order_id: String,
    /// Who paid.
    pub customer_id: String,
    /// The day of the order, as `1997-01-31`.
    pub placed_on: String,
    /// How many CDs were paid.
    pub cds: u32,
    /// How much was paid.
    pub amount_cents: u64,
}

/// There was nothing to capture. The order ends here.
#[event(topic = "payments", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentDeclined {
    /// The order that was not paid.
    pub order_id: String,
    /// Who did not pay.
    pub customer_id: String,
    /// Why.
    pub reason: String,
}

/// The customer has the money back. The order ends here.
#[event(topic = "payments", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRefunded {
    /// The order that will not come.
    pub order_id: String,
    /// Who was paid back.
    pub customer_id: String,
    /// How much: all that was captured.
    pub amount_cents: u64,
}
