//! Sends a record that was laid out by the framework's envelope.

use anyhow::Result;
use events_core::Outgoing;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, ProducerContext};

/// Enqueues the record. The client's queue has no bound, so a failure is final.
pub(crate) fn send<C: ProducerContext>(
    producer: &BaseProducer<C>,
    record: &Outgoing,
    opaque: C::DeliveryOpaque,
) -> Result<()> {
    let headers = record.headers();
    let mut owned = OwnedHeaders::new_with_capacity(headers.len());
    for (name, value) in headers {
        owned = owned.insert(Header {
            key: std::str::from_utf8(name)?,
            value,
        });
    }
    let mut outgoing: BaseRecord<'_, [u8], [u8], _> =
        BaseRecord::with_opaque_to(&record.topic, opaque).headers(owned);
    if let Some(key) = record.key() {
        outgoing = outgoing.key(key);
    }
    if let Some(value) = record.value() {
        outgoing = outgoing.payload(value);
    }
    producer.send(outgoing).map_err(|(error, _)| error)?;
    Ok(())
}
