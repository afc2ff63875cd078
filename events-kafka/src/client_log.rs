//! The client's log, as tracing events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::options::redact_error;

/// How often the same message of a client is worth a line: without a broker each client has several in every second.
const AGAIN: Duration = Duration::from_secs(5);
/// Messages that are told apart at a time.
const KNOWN: usize = 256;

/// What was said lately, by all clients of the process.
static ERRORS: Mutex<Option<Said>> = Mutex::new(None);
static MESSAGES: Mutex<Option<Said>> = Mutex::new(None);

/// When each message was said last, and how often it was left out since.
#[derive(Default)]
struct Said(HashMap<String, (Instant, u64)>);

impl Said {
    /// Whether the message is to be said now, and how many of its kind were left out before.
    fn say(&mut self, message: String, now: Instant) -> Option<u64> {
        if let Some((last, left_out)) = self.0.get_mut(&message) {
            if now.duration_since(*last) < AGAIN {
                *left_out += 1;
                return None;
            }
            *last = now;
            return Some(std::mem::take(left_out));
        }
        if self.0.len() >= KNOWN {
            // Those that are due to be said again are as good as unknown; what was left out of them is not told.
            self.0
                .retain(|_, (last, _)| now.duration_since(*last) < AGAIN);
        }
        if self.0.len() < KNOWN {
            self.0.insert(message, (now, 0));
        }
        Some(0)
    }
}

fn say(said: &Mutex<Option<Said>>, message: String) -> Option<u64> {
    said.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .say(message, Instant::now())
}

/// A message of the client without what differs each time: how long an attempt took, and how many the client left out itself.
pub(crate) fn without_figures(message: &str) -> &str {
    message
        .find(" (after ")
        .map_or(message, |figures| &message[..figures])
}

/// An error that a client reports beside its work, and heals by itself if it can.
pub(crate) fn report(client: &'static str, error: &KafkaError, reason: &str) {
    let text = redact_error(error);
    // The client hands an error out twice, with different texts: to its context, and to the caller that polls.
    let kind = match error.rdkafka_error_code() {
        Some(code) => format!("{client} {code:?}"),
        None => format!("{client} {text}"),
    };
    let Some(left_out) = say(&ERRORS, kind) else {
        return;
    };
    tracing::warn!(
        error = text,
        reason,
        left_out,
        "the {client} reports an error"
    );
}

/// A line of the client's own log. The same warning is written once in five seconds, then with how many were left out.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel as Level;
    match level {
        Level::Info | Level::Notice => {
            tracing::info!(target: "librdkafka", facility, "{message}");
            return;
        }
        Level::Debug => {
            tracing::debug!(target: "librdkafka", facility, "{message}");
            return;
        }
        _ => {}
    }
    let Some(left_out) = say(&MESSAGES, without_figures(message).to_owned()) else {
        return;
    };
    match level {
        Level::Warning => tracing::warn!(target: "librdkafka", facility, left_out, "{message}"),
        _ => tracing::error!(target: "librdkafka", facility, left_out, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_is_said_once_in_a_while_with_how_many_were_left_out() {
        let (mut said, start) = (Said::default(), Instant::now());
        let mut say = |message: &str, after| said.say(message.to_owned(), start + after);
        assert_eq!(say("refused", Duration::ZERO), Some(0));
        for millis in 1..300 {
            assert_eq!(say("refused", Duration::from_millis(millis)), None);
        }
        assert_eq!(say("unknown topic", Duration::from_millis(1)), Some(0));
        assert_eq!(say("refused", AGAIN), Some(299));
        assert_eq!(say("refused", AGAIN * 2), Some(0));
    }

    #[test]
    fn messages_that_never_come_twice_take_no_memory() {
        let (mut said, start) = (Said::default(), Instant::now());
        for number in 0..10_000 {
            assert_eq!(said.say(number.to_string(), start), Some(0));
        }
        assert!(said.0.len() <= KNOWN);
        assert_eq!(said.say("later".to_owned(), start + AGAIN), Some(0));
        assert_eq!(said.0.len(), 1);
    }

    #[test]
    fn messages_that_differ_in_figures_alone_are_the_same() {
        let message = |figures: &str| format!("b1:9092: Connect failed: refused (after {figures})");
        let (one, other) = (
            message("0ms in state CONNECT"),
            message("7ms in state CONNECT, 4 identical error(s) suppressed"),
        );
        assert_eq!(without_figures(&one), without_figures(&other));
        assert_eq!(without_figures("no figures"), "no figures");
    }
}
