//! Orders: the shop's front. It publishes what customers order, and reacts to nothing.

mod file;

use anyhow::Result;
use events_kafka::{Event as _, Producer, Receipt, header};
use order_contracts::OrderPlaced;
use tracing::Instrument as _;

use crate::traces;

pub(crate) use file::read;

// What comes from an edge cannot be seen in a signature.
events_kafka::publishes!("orders": OrderPlaced);

/// The name that the orders come from.
pub(crate) const SOURCE: &str = "orders";

/// The shop's front.
pub(crate) struct Shop {
    producer: Producer,
}

impl Shop {
    pub(crate) fn new(producer: Producer) -> Self {
        Self { producer }
    }

    /// Publishes an order. The topic, the key, the version and the headers come from its type.
    pub(crate) async fn place(&self, order: &OrderPlaced) -> Result<Receipt> {
        Self::send(&self.producer, order).await
    }

    /// The same with the order's id as the event's id, as a shop does that may publish an order again because it does
    /// not know whether the first time worked: whoever reads both sees that they are one.
    pub(crate) async fn place_by_id(&self, order: &OrderPlaced) -> Result<Receipt> {
        // Of headers with the same name the last counts.
        let producer = self
            .producer
            .with_header(header::ID, &order.order_id)
            .correlated(&order.order_id);
        Self::send(&producer, order).await
    }

    /// Publishes it as the first span of its flow, if anybody traces.
    async fn send(producer: &Producer, order: &OrderPlaced) -> Result<Receipt> {
        let topic = OrderPlaced::DESCRIPTOR.topic;
        let span = tracing::debug_span!(
            "send",
            otel.name = format!("send {topic}"),
            otel.kind = "producer",
            messaging.system = "kafka",
            "messaging.operation.type" = "send",
            messaging.destination.name = topic,
            messaging.message.conversation_id = order.order_id,
        );
        let producer = traces::within(&span, producer);
        Ok(producer.enqueue(order).instrument(span).await?)
    }

    /// Waits until all that was published is written.
    pub(crate) async fn written(receipts: Vec<Receipt>) -> Result<()> {
        for receipt in receipts {
            receipt.await?;
        }
        Ok(())
    }
}
