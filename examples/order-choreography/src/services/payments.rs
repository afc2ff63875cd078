//! Payments: captures what an order costs, and pays it back when the warehouse refuses the order.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events_kafka::{Classify, Emission, Error, Result, State, handler};
use order_contracts::{
    OrderPlaced, PaymentCaptured, PaymentDeclined, PaymentRefunded, StockRefused,
};
use tokio::time::Instant;

events_kafka::service!("payments");

/// How a payment goes.
#[derive(Emission)]
enum Payment {
    Captured(PaymentCaptured),
    Declined(PaymentDeclined),
}

/// Captures the price of an order. Where there is nothing to capture the order ends.
///
/// A provider that is away is no order's fault: the handler holds until it is back, and no order is given up.
#[handler]
async fn capture(order: OrderPlaced, till: State<Till>) -> Result<Payment> {
    let OrderPlaced {
        order_id,
        customer_id,
        placed_on,
        cds,
        amount_cents,
    } = order;
    if amount_cents == 0 {
        let reason = "an order that costs nothing is not paid".to_owned();
        return Ok(Payment::Declined(PaymentDeclined {
            order_id,
            customer_id,
            reason,
        }));
    }
    till.capture(&order_id, amount_cents).unavailable()?;
    Ok(Payment::Captured(PaymentCaptured {
        order_id,
        customer_id,
        placed_on,
        cds,
        amount_cents,
    }))
}

/// Pays back what was captured for an order that the warehouse refuses.
#[handler]
async fn refund(refused: StockRefused, till: State<Till>) -> Result<PaymentRefunded> {
    let StockRefused {
        order_id,
        customer_id,
        amount_cents,
        ..
    } = refused;
    till.refund(&order_id, amount_cents).unavailable()?;
    Ok(PaymentRefunded {
        order_id,
        customer_id,
        amount_cents,
    })
}

/// Payments before the outage of [`Till::with_outage`], and how long it lasts.
const OUTAGE_AFTER: usize = 300;
const OUTAGE: Duration = Duration::from_secs(2);

/// The payment provider. An order is its idempotency key: the same order again moves no money.
#[derive(Default)]
pub(crate) struct Till(Mutex<Money>);

#[derive(Default)]
struct Money {
    captured: BTreeMap<String, u64>,
    refunded: BTreeMap<String, u64>,
    outage: Outage,
}

/// Whether the provider answers.
#[derive(Default)]
enum Outage {
    #[default]
    Never,
    ToCome,
    Since(Instant),
}

impl Till {
    /// A provider that is away for a while after its first few hundred payments.
    pub(crate) fn with_outage() -> Self {
        Self(Mutex::new(Money {
            outage: Outage::ToCome,
            ..Money::default()
        }))
    }

    fn capture(&self, order_id: &str, cents: u64) -> Result<()> {
        let mut money = self.answering()?;
        money.captured.entry(order_id.to_owned()).or_insert(cents);
        Ok(())
    }

    fn refund(&self, order_id: &str, cents: u64) -> Result<()> {
        let mut money = self.answering()?;
        money.refunded.entry(order_id.to_owned()).or_insert(cents);
        Ok(())
    }

    /// The money, if the provider answers.
    fn answering(&self) -> Result<MutexGuard<'_, Money>> {
        let mut money = self.money();
        if matches!(money.outage, Outage::ToCome) && money.captured.len() >= OUTAGE_AFTER {
            money.outage = Outage::Since(Instant::now());
        }
        match money.outage {
            Outage::Since(begin) if begin.elapsed() < OUTAGE => {
                Err(Error::msg("the payment provider does not answer"))
            }
            _ => Ok(money),
        }
    }

    /// What came in and what went out again, in cents, for the orders of a run: those whose id begins with `run`.
    pub(crate) fn totals(&self, run: &str) -> (u64, u64) {
        let money = self.money();
        let of = |moved: &BTreeMap<String, u64>| {
            let ours = moved
                .iter()
                .filter(|(order_id, _)| order_id.starts_with(run));
            ours.map(|(_, cents)| cents).sum()
        };
        (of(&money.captured), of(&money.refunded))
    }

    fn money(&self) -> MutexGuard<'_, Money> {
        // Nothing panics while the money is counted, so a poisoned value is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use events_testkit::Harness;

    use super::*;

    fn order(order_id: &str, amount_cents: u64) -> OrderPlaced {
        OrderPlaced {
            order_id: order_id.to_owned(),
            customer_id: "c-1".to_owned(),
            placed_on: "1997-01-31".to_owned(),
            cds: 2,
            amount_cents,
        }
    }

    fn refused(order_id: &str, amount_cents: u64) -> StockRefused {
        StockRefused {
            order_id: order_id.to_owned(),
            customer_id: "c-1".to_owned(),
            cds: 2,
            left: 1,
            amount_cents,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_captured_unless_it_costs_nothing() {
        let outcome = Harness::for_service("payments")
            .state(Till::default())
            .given(&order("o-1", 2933))
            .given(&order("o-2", 0))
            .run()
            .await;
        outcome.expect_no_dead_letters();
        outcome.expect_emitted(&[PaymentCaptured {
            order_id: "o-1".to_owned(),
            customer_id: "c-1".to_owned(),
            placed_on: "1997-01-31".to_owned(),
            cds: 2,
            amount_cents: 2933,
        }]);
        let declined = outcome.emissions::<PaymentDeclined>();
        assert_eq!((declined.len(), declined[0].order_id.as_str()), (1, "o-2"));
        assert_eq!(outcome.state::<Till>().totals("o-"), (2933, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_order_is_paid_back() {
        let outcome = Harness::for_service("payments")
            .state(Till::default())
            .given(&order("o-1", 1177))
            .given(&refused("o-1", 1177))
            .run()
            .await;
        outcome.expect_emitted(&[PaymentRefunded {
            order_id: "o-1".to_owned(),
            customer_id: "c-1".to_owned(),
            amount_cents: 1177,
        }]);
        assert_eq!(outcome.state::<Till>().totals("o-"), (1177, 1177));
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_order_moves_no_money_twice_even_under_another_event_id() {
        let outcome = Harness::for_service("payments")
            .state(Till::default())
            .given(&order("o-1", 1177))
            .given(&order("o-1", 1177))
            .given(&refused("o-1", 1177))
            .given(&refused("o-1", 1177))
            .run()
            .await;
        assert_eq!(outcome.state::<Till>().totals("o-"), (1177, 1177));
    }
    #[tokio::test(start_paused = true)]
    async fn while_the_provider_is_away_orders_wait_and_none_is_given_up() {
        // Fewer than the keys whose failure in a row would make the handler hold by itself.
        const LATER: usize = 4;
        let harness = Harness::for_service("payments").state(Till::with_outage());
        let orders = (1..=OUTAGE_AFTER + LATER).map(|number| OrderPlaced {
            customer_id: format!("c-{number}"),
            ..order(&format!("o-{number}"), 100)
        });
        let begin = Instant::now();
        let outcome = orders
            .fold(harness, |harness, order| harness.given(&order))
            .run()
            .await;
        // The outage lasts longer than all attempts at a record would.
        assert!(begin.elapsed() >= OUTAGE);
        outcome.expect_no_dead_letters();
        let captured = outcome.emissions::<PaymentCaptured>().len();
        assert_eq!(captured, OUTAGE_AFTER + LATER);
        assert_eq!(outcome.state::<Till>().totals("o-"), (30_400, 0));
    }
}
