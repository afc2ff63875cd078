//! The replacement of a consumer that has raised a fatal error (D8).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use events_runtime::{Group, ShutdownReport};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::stable::StableOffsets;
use super::{POLL, Poller, Stop};
use crate::committer::Committer;
use crate::membership::Recovery;
use crate::rebalance::{MemberContext, wait};

/// The wait before a new consumer is made, which doubles with each that fails, and its bound.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// How long the closing of the old consumer is waited for beyond that: with its instance id the new
/// one could not join.
const CLOSING: Duration = Duration::from_secs(10);

/// How long a member waits before it makes its next consumer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// The next wait. A member that was in its group meanwhile begins with the shortest.
    fn next(&mut self, was_assigned: bool) -> Duration {
        if was_assigned {
            *self = Self::default();
        }
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        wait
    }
}

impl Poller {
    /// Gives up all partitions without a commit, since others may have them by now, and goes on
    /// with a new consumer where that can help. None once the member was told to stop.
    pub(super) fn replace(self, code: RDKafkaErrorCode, text: &str) -> Option<Self> {
        let membership = &self.factory.membership;
        let was_assigned = membership.is_assigned();
        let recovery = membership.fatal(code, text);
        let Self {
            committer,
            stable,
            consumer,
            factory,
            group,
            inbox,
            interval,
            lag,
            mut backoff,
        } = self;
        drop(committer);
        drop(stable);
        let closing = close(consumer, &group);
        let mut at = match recovery {
            Recovery::None => None,
            Recovery::NewConsumer => Some(Instant::now() + backoff.next(was_assigned)),
        };
        let latest = at.map(|at| at + CLOSING);
        loop {
            match inbox.recv_timeout(POLL) {
                Ok(stop) => {
                    stop.nothing_left();
                    return None;
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(logs) = &factory.parked {
                logs.serve();
            }
            let now = Instant::now();
            let due = at.is_some_and(|at| now >= at);
            let closed = closing.as_ref().is_none_or(JoinHandle::is_finished);
            if !due || !(closed || latest.is_some_and(|latest| now >= latest)) {
                continue;
            }
            let next = factory
                .consumer()
                .and_then(|consumer| Ok((Committer::start(&consumer, &group)?, consumer)));
            match next {
                Ok((committer, consumer)) => {
                    tracing::info!(group = %group.plan().group, "a new consumer joins the group");
                    return Some(Self {
                        committer,
                        stable: StableOffsets::default(),
                        consumer,
                        factory,
                        group,
                        inbox,
                        interval,
                        lag,
                        backoff,
                    });
                }
                Err(error) => {
                    tracing::error!(group = %group.plan().group, %error, "no new consumer; the member tries again");
                    at = Some(now + backoff.next(false));
                }
            }
        }
    }
}

/// Ends the lanes of a consumer and closes it on a thread of its own: it may wait for the broker.
fn close(consumer: Arc<BaseConsumer<MemberContext>>, group: &Arc<Group>) -> Option<JoinHandle<()>> {
    let context = consumer.context();
    // Its callbacks must not touch lanes of its replacement.
    context.closing.store(true, Ordering::Release);
    let partitions = group.partitions();
    let report = wait(&context.handle, group.lose(&partitions));
    context.stop_parked(&partitions);
    context.delayed.clear();
    tracing::warn!(
        group = group.plan().group,
        partitions = partitions.len(),
        abandoned = report.abandoned,
        "partitions were lost: the consumer has ended"
    );
    let closing = thread::Builder::new()
        .name("close consumer".to_owned())
        .spawn(move || drop(consumer));
    closing.ok()
}

impl Stop {
    /// Answers for a member that has no partitions, and whose consumer has ended.
    fn nothing_left(self) {
        let report = ShutdownReport {
            drained: true,
            ..ShutdownReport::default()
        };
        let _ = self.report.send(report);
        drop(self.left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_again_after_an_assignment() {
        let mut backoff = Backoff::default();
        let seconds: Vec<_> = (0..7).map(|_| backoff.next(false).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.next(true), FIRST);
        assert_eq!(backoff.next(false), FIRST * 2);
    }
}
