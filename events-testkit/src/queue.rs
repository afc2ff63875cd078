//! How a lane reads a partition.

use std::task::{Context, Poll};

use events_runtime::{Queue, QueueError, TopicPartition};

use crate::broker::Broker;
use crate::received::Received;

/// One reader of one partition.
#[derive(Debug)]
pub(crate) struct LogQueue {
    broker: Broker,
    partition: TopicPartition,
    next: i64,
}

impl LogQueue {
    pub(crate) fn new(broker: Broker, partition: TopicPartition, next: i64) -> Self {
        Self {
            broker,
            partition,
            next,
        }
    }
}

impl Queue for LogQueue {
    type Record = Received;

    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<Received>,
    ) -> Poll<Result<(), QueueError>> {
        let mut state = self.broker.state();
        let Some(log) = state.log_mut(&self.partition) else {
            return Poll::Ready(Err(QueueError(format!(
                "{} does not exist",
                self.partition
            ))));
        };
        if let Some(fault) = log.fault() {
            return Poll::Ready(Err(QueueError(fault.to_owned())));
        }
        let offsets = log.offsets();
        if self.next < offsets.start || self.next > offsets.end {
            return Poll::Ready(Err(QueueError(format!(
                "offset {} is out of range, the log holds {offsets:?}",
                self.next
            ))));
        }
        let next = log.read(self.next, max, into);
        if next == self.next {
            // What may lie between is no record.
            self.next = offsets.end;
            log.wait(cx.waker());
            return Poll::Pending;
        }
        self.next = next;
        Poll::Ready(Ok(()))
    }

    fn position(&mut self) -> Option<i64> {
        Some(self.next)
    }
}
