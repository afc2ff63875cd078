//! Questions that an assignment depends on are asked again until there is an answer.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;

use crate::rights::Watch;

/// How long the broker may take to answer a question that an assignment depends on.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// How long it may take to answer one about a single partition, which then waits while the others go on.
pub(crate) const BRIEF: Duration = Duration::from_secs(5);
/// How long to wait before a question is asked again, for example while a new topic has no leaders yet.
pub(crate) const AGAIN: Duration = Duration::from_millis(50);

/// As far away as a moment may be: 30 years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// `wait`, but for waits that mean "never": no moment is so far away that a clock could not tell it.
pub(crate) fn bounded(wait: Duration) -> Duration {
    wait.min(FAR)
}

/// Asks until there is an answer, for as long as an answer may take, or until the member leaves.
pub(crate) fn patiently<T>(watch: &Arc<Watch>, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    within(ANSWER, watch, ask)
}

/// The same for a question about a single partition.
pub(crate) fn briefly<T>(watch: &Arc<Watch>, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    within(BRIEF, watch, ask)
}

fn within<T>(
    limit: Duration,
    watch: &Arc<Watch>,
    ask: impl Fn() -> KafkaResult<T>,
) -> KafkaResult<T> {
    let asked = Instant::now();
    loop {
        match ask() {
            Err(error) if asked.elapsed() < limit && !watch.is_leaving() => {
                watch.suspect(&error);
                tracing::debug!(%error, "the broker does not answer an assignment's question yet");
                thread::sleep(AGAIN);
            }
            answer => return answer,
        }
    }
}
