//! Headers, routing, dedupe: what a handler gets by default.

use events_core::handler;

use crate::events::OrderPlaced;
use crate::tally::TALLY;

pub(super) const MODULE: &str = module_path!();

#[handler]
async fn count_order(order: OrderPlaced) {
    TALLY.add(std::hint::black_box(&order.0).amount_cents);
}
