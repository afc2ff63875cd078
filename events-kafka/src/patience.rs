//! Questions that an assignment depends on are asked again until there is an answer.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;

use crate::rights::Watch;

/// How long the broker may take to answer a question that an assignment depends on.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// How long to wait before a question is asked again, for example while a new topic has no leaders yet.
const AGAIN: Duration = Duration::from_millis(50);

/// Asks until there is an answer, for as long as an answer may take.
pub(crate) fn patiently<T>(watch: &Arc<Watch>, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    let asked = Instant::now();
    loop {
        match ask() {
            Err(error) if asked.elapsed() < ANSWER => {
                watch.suspect(&error);
                tracing::debug!(%error, "the broker does not answer an assignment's question yet");
                thread::sleep(AGAIN);
            }
            answer => return answer,
        }
    }
}
