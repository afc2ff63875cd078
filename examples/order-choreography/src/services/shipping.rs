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
