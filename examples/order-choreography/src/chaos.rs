//! What goes wrong on purpose: `--chaos`.

use events_kafka::{AttemptContext, Delivery, Error, Middleware, Result};

/// Every so many orders one is published twice.
const TWICE_EVERY: usize = 100;
/// Customers whose number this divides have bad luck: each handler's first attempt at their orders fails.
const UNLUCKY: u32 = 50;

/// The service that is restarted when half of the orders are placed.
pub(crate) const RESTARTED: &str = "payments";

/// Whether the order at `index` is published twice. The first one is: its second time is behind the restart.
pub(crate) fn is_placed_twice(index: usize) -> bool {
    index.is_multiple_of(TWICE_EVERY)
}

/// Fails the first attempt of every handler at the orders of unlucky customers, whichever service it belongs to.
pub(crate) struct BadLuck;

impl Middleware for BadLuck {
    fn before(&self, delivery: &Delivery<'_>, _: &AttemptContext) -> Result<()> {
        if delivery.attempt() == 1 && delivery.record().key().is_some_and(is_unlucky) {
            return Err(Error::msg("chaos: the first attempt fails"));
        }
        Ok(())
    }
}

/// Whether the digits at the end of a customer's id, behind the run's, are an unlucky number.
fn is_unlucky(customer_id: &[u8]) -> bool {
    let number = std::str::from_utf8(customer_id)
        .ok()
        .and_then(|id| id.rsplit('-').next()?.parse::<u32>().ok());
    number.is_some_and(|number| number.is_multiple_of(UNLUCKY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_is_the_same_in_every_run() {
        assert!(is_unlucky(b"first-00050") && is_unlucky(b"second-00050"));
        assert!(!is_unlucky(b"first-00051") && !is_unlucky(b"\xff"));
    }
}
