//! A topic of one type without dedupe: no header is read.

use events_core::handler;

use crate::events::PlainOrder;
use crate::tally::TALLY;

pub(super) const MODULE: &str = module_path!();

#[handler(dedupe = false)]
async fn count_plain_order(order: PlainOrder) {
    TALLY.add(std::hint::black_box(&order.0).amount_cents);
}
