//! What is read of a record's headers.

use events_core::header;
use rdkafka::message::{BorrowedMessage, Headers, Message};

/// The headers that the work needs, of one record.
#[derive(Default)]
pub(super) struct Reading<'a> {
    pub(super) event_type: Option<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) source: Option<&'a [u8]>,
    pub(super) version: Option<&'a [u8]>,
    pub(super) correlation_id: Option<&'a [u8]>,
    pub(super) hops: Option<&'a [u8]>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let mut reading = Self::default();
        let Some(headers) = message.headers() else {
            return reading;
        };
        for header in headers.iter() {
            match header.key {
                header::TYPE => reading.event_type = header.value,
                header::ID => reading.id = header.value,
                header::SOURCE => reading.source = header.value,
                header::EVENT_VERSION => reading.version = header.value,
                header::CORRELATION_ID => reading.correlation_id = header.value,
                header::HOPS => reading.hops = header.value,
                _ => {}
            }
        }
        reading
    }
}
