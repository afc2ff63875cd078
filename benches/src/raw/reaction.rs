//! The event that is published for a record: headers and payload as the framework makes them, and an id that is written by
//! hand.

use std::io::Write as _;

use anyhow::Result;
use events_core::{Event, header, time_now};
use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord};

use crate::events::{Order, PaymentCaptured, payment};
use crate::raw::react::Acks;
use crate::raw::reading::Reading;

/// Records stamped with one time.
const BATCH: u32 = 256;

/// Buffers that all records share.
pub(super) struct Reaction {
    service: String,
    id: Vec<u8>,
    value: Vec<u8>,
    time: String,
    stamped: u32,
}

impl Reaction {
    pub(super) fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            id: Vec::new(),
            value: Vec::new(),
            time: String::new(),
            stamped: 0,
        }
    }

    /// Enqueues the event for `order`, whose record had these headers.
    pub(super) fn send(
        &mut self,
        producer: &BaseProducer<Acks>,
        message: &BorrowedMessage<'_>,
        reading: &Reading<'_>,
        order: Order,
        opaque: usize,
    ) -> Result<()> {
        if self.stamped == 0 {
            self.time = time_now();
        }
        self.stamped = (self.stamped + 1) % BATCH;
        let text = |bytes: Option<&_>| {
            bytes
                .map(|bytes: &&[u8]| std::str::from_utf8(bytes))
                .transpose()
        };
        let (source, id) = (
            text(reading.source.as_ref())?.unwrap_or(""),
            text(reading.id.as_ref())?.unwrap_or(""),
        );
        let hops = text(reading.hops.as_ref())?
            .and_then(|hops| hops.parse::<u32>().ok())
            .unwrap_or(0)
            + 1;
        let payment = payment(order);
        self.value.clear();
        serde_json::to_writer(&mut self.value, &payment)?;
        let key = payment.order_id.as_str();
        let event = PaymentCaptured::DESCRIPTOR;
        self.id.clear();
        write!(
            self.id,
            "{}-{}-{source}-{}",
            message.partition(),
            message.offset(),
            event.name
        )?;
        let own = std::str::from_utf8(&self.id)?;
        let hops = hops.to_string();
        let headers = [
            (header::SPEC_VERSION, "1.0"),
            (header::ID, own),
            (header::SOURCE, &self.service),
            (header::TYPE, event.name),
            (header::TIME, &self.time),
            (header::CONTENT_TYPE, event.content_type),
            (header::EVENT_VERSION, "1"),
            (
                header::CORRELATION_ID,
                text(reading.correlation_id.as_ref())?.unwrap_or(id),
            ),
            (header::HOPS, &hops),
            (header::CAUSATION_ID, id),
        ];
        let mut owned = OwnedHeaders::new_with_capacity(headers.len());
        for (key, value) in headers {
            owned = owned.insert(Header {
                key,
                value: Some(value),
            });
        }
        let record: BaseRecord<'_, str, [u8], usize> =
            BaseRecord::with_opaque_to(event.topic, opaque)
                .key(key)
                .payload(self.value.as_slice())
                .headers(owned);
        producer.send(record).map_err(|(error, _)| error)?;
        Ok(())
    }
}
