//! Inventory: sets CDs aside for paid orders. There are not enough for everybody, so they are rationed.
//!
//! A customer gets at most [`RATION`] CDs a month, first come, first served. That is the same in every run: a
//! customer's orders have the same key, and records with the same key are handled in their order (D2).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use events_kafka::{Emission, Result, State, Terminal, handler};
use order_contracts::{PaymentCaptured, StockRefused, StockReserved};

events_kafka::service!("inventory");

/// CDs for one customer in one month.
pub(crate) const RATION: u32 = 8;

/// What the warehouse says to a paid order.
#[derive(Emission)]
enum Answer {
    Reserved(StockReserved),
    #[emission(failure)]
    Refused(StockRefused),
}

/// Sets the CDs of a paid order aside, if the customer's ration still holds as many.
#[handler]
async fn reserve(paid: PaymentCaptured, stock: State<Stock>) -> Result<Answer> {
    let PaymentCaptured {
        order_id,
        customer_id,
        placed_on,
        cds,
        amount_cents,
    } = paid;
    // No retry heals a date that is none, so the record becomes a dead letter at once.
    let month = placed_on
        .get(..7)
        .ok_or_else(|| Terminal::msg(format!("`{placed_on}` is no day")))?;
    Ok(match stock.take(&order_id, &customer_id, month, cds) {
        Ok(()) => Answer::Reserved(StockReserved {
            order_id,
            customer_id,
            cds,
        }),
        Err(left) => Answer::Refused(StockRefused {
            order_id,
            customer_id,
            cds,
            left,
            amount_cents,
        }),
    })
}

/// The shelves. An order that asks again gets the answer that it got: nothing is set aside twice.
#[derive(Default)]
pub(crate) struct Stock(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    /// What is set aside, by customer and month.
    taken: HashMap<(String, String), u32>,
    /// What was answered, by order.
    answers: HashMap<String, Result<(), u32>>,
}

impl Stock {
    /// Sets `cds` aside, or says how many are left.
    fn take(&self, order_id: &str, customer_id: &str, month: &str, cds: u32) -> Result<(), u32> {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = shelves.answers.get(order_id) {
            return *answer;
        }
        let taken = shelves
            .taken
            .entry((customer_id.to_owned(), month.to_owned()))
            .or_default();
        let left = RATION - *taken;
        let answer = if cds > left { Err(left) } else { Ok(()) };
        if answer.is_ok() {
            *taken += cds;
        }
        shelves.answers.insert(order_id.to_owned(), answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use events_kafka::Park;
    use events_testkit::{Harness, Outcome};

    use super::*;
    use crate::chaos::{BadLuck, Chaos};

    fn paid(order_id: &str, customer_id: &str, placed_on: &str, cds: u32) -> PaymentCaptured {
        PaymentCaptured {
            order_id: order_id.to_owned(),
            customer_id: customer_id.to_owned(),
            placed_on: placed_on.to_owned(),
            cds,
            amount_cents: 1000,
        }
    }

    async fn inventory(payments: &[PaymentCaptured]) -> Outcome {
        let harness = Harness::for_service("inventory").state(Stock::default());
        payments.iter().fold(harness, Harness::given).run().await
    }

    fn reserved(outcome: &Outcome) -> Vec<String> {
        let mut orders: Vec<_> = outcome
            .emissions::<StockReserved>()
            .into_iter()
            .map(|event| event.order_id)
            .collect();
        orders.sort();
        orders
    }

    #[tokio::test(start_paused = true)]
    async fn a_ration_is_for_one_customer_in_one_month_and_first_come_is_first_served() {
        let outcome = inventory(&[
            paid("o-1", "c-1", "1997-01-01", RATION - 2),
            paid("o-2", "c-1", "1997-01-31", 3),
            paid("o-3", "c-1", "1997-01-31", 2),
            paid("o-4", "c-1", "1997-02-01", RATION),
            paid("o-5", "c-2", "1997-01-31", RATION),
        ])
        .await;
        outcome.expect_no_dead_letters();
        assert_eq!(reserved(&outcome), ["o-1", "o-3", "o-4", "o-5"]);
        outcome.expect_emitted(&[StockRefused {
            order_id: "o-2".to_owned(),
            customer_id: "c-1".to_owned(),
            cds: 3,
            left: 2,
            amount_cents: 1000,
        }]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_that_asks_again_gets_the_same_answer_and_no_more_cds() {
        let outcome = inventory(&[
            paid("o-1", "c-1", "1997-01-01", RATION - 1),
            paid("o-1", "c-1", "1997-01-01", RATION - 1),
            paid("o-2", "c-1", "1997-01-01", 1),
        ])
        .await;
        assert_eq!(reserved(&outcome), ["o-1", "o-1", "o-2"]);
        assert!(outcome.emissions::<StockRefused>().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_that_is_none_is_given_up_at_once() {
        let outcome = inventory(&[paid("o-1", "c-1", "soon", 1)]).await;
        outcome.expect_nothing_emitted();
        let letter = outcome.expect_dead_letter("reserve");
        assert_eq!(
            (letter.attempts, letter.error.as_str()),
            (1, "`soon` is no day")
        );
    }
    #[tokio::test(start_paused = true)]
    async fn a_customer_over_whom_the_warehouse_stumbles_is_parked_and_served_in_order() {
        let outcome = Harness::for_service("inventory")
            .state(Stock::default())
            .middleware(BadLuck::new("inventory", &Chaos::default()))
            .configure(|settings| settings.park = Some(Park::DEFAULT))
            .parks()
            .given(&paid("o-1", "c-00177", "1997-01-01", RATION))
            .given(&paid("o-2", "c-00177", "1997-01-02", 1))
            .given(&paid("o-3", "c-00178", "1997-01-02", 1))
            .run()
            .await;
        outcome.expect_no_dead_letters();
        // The other customer did not wait.
        assert_eq!(outcome.emissions::<StockReserved>()[0].order_id, "o-3");
        assert_eq!(reserved(&outcome), ["o-1", "o-3"]);
        assert_eq!(outcome.emissions::<StockRefused>()[0].order_id, "o-2");
    }
}
