//! What the post room says.

use events_core::event;

/// The parcel has left. The order ends here.
#[event(topic = "shipping", key = customer_id)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderShipped {
    /// The order that is on its way.
    pub order_id: String,
    /// Who will get it.
    pub customer_id: String,
    /// How many CDs the parcel holds.
    pub cds: u32,
}
