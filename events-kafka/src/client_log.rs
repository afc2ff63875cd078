//! The client's log, as tracing events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::options::redact_error;

/// How often the same error of a client is worth a line: without a broker each client has several in every second.
const AGAIN: Duration = Duration::from_secs(5);

/// An error that a client reports beside its work, and heals by itself if it can.
pub(crate) fn report(client: &'static str, error: &KafkaError, reason: &str) {
    /// When each was said last, and how often it was left out since.
    type Said = HashMap<String, (Option<Instant>, u32)>;
    static SAID: Mutex<Option<Said>> = Mutex::new(None);
    let text = redact_error(error);
    let left_out = {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, left_out) = said
            .get_or_insert_default()
            .entry(format!("{client} {text}"))
            .or_default();
        if last.is_some_and(|last| last.elapsed() < AGAIN) {
            *left_out += 1;
            return;
        }
        *last = Some(Instant::now());
        std::mem::take(left_out)
    };
    tracing::warn!(
        error = text,
        reason,
        left_out,
        "the {client} reports an error"
    );
}

pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "librdkafka", facility, "{message}")
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}
