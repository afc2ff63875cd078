//! Shipping: sends what was set aside.

use events_kafka::handler;
use order_contracts::{OrderShipped, StockReserved};

events_kafka::service!("shipping");

/// Sends the parcel.
#[handler]
async fn ship(reserved: StockReserved) -> OrderShipped {
    let StockReserved {
        order_id,
        customer_id,
        cds,
    } = reserved;
    OrderShipped {
        order_id,
        customer_id,
        cds,
    }
}

#[cfg(test)]
mod tests {
    use events_testkit::Harness;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_set_aside_is_sent() {
        let (order_id, customer_id) = ("o-1".to_owned(), "c-1".to_owned());
        let outcome = Harness::for_service("shipping")
            .given(&StockReserved {
                order_id: order_id.clone(),
                customer_id: customer_id.clone(),
                cds: 3,
            })
            .run()
            .await;
        outcome.expect_no_dead_letters();
        outcome.expect_emitted(&[OrderShipped {
            order_id,
            customer_id,
            cds: 3,
        }]);
    }
}
