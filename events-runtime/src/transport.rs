//! What the engine asks of a broker: queues of received records, and a way to publish.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use events_core::{Outgoing, RecordView};

use crate::acks::Acks;

/// A partition of a topic.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct TopicPartition {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

impl TopicPartition {
    /// Puts the two together.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// A received record. Dropping it gives its memory back to the client.
pub trait Record: RecordView + Send + Sync + Unpin + 'static {
    /// Bytes that it keeps in memory: key, value, headers as they came, and the client's own structures. Headers that are
    /// parsed are not counted a second time.
    fn size(&self) -> usize;

    /// Whether the record has headers that the client cannot read: then [`header`](RecordView::header) returns none of them.
    fn has_unreadable_headers(&self) -> bool {
        false
    }

    /// Nobody is likely to ask for the headers again: a client that parsed them may let go of what it made, as long as it
    /// answers all the same.
    fn forget_headers(&mut self) {}
}

/// The received records of one assigned partition, in log order.
pub trait Queue: Send + Unpin + 'static {
    /// The client's own record.
    type Record: Record;

    /// Moves at most `max` records behind those in `into`, without waiting.
    ///
    /// `Pending` means that there were none, and that the task is woken when there are.
    ///
    /// # Errors
    ///
    /// The partition cannot be read at the moment, for example because its offset is out of range. The lane reports
    /// the text, and asks again later.
    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<Self::Record>,
    ) -> Poll<Result<(), QueueError>>;

    /// The offset at which the client reads on: every record below it was handed out, in this assignment or before it. It lies
    /// behind the last record where the log goes on with offsets that are no records to hand out: markers of transactions, and
    /// what was written in transactions that were aborted. None where the client does not know.
    ///
    /// The lane asks once a commit tick, and commits what it is told.
    fn position(&mut self) -> Option<i64> {
        None
    }

    /// The lane has taken nothing for half a minute, since it is full. A client that would go on fetching ahead beyond its bounds
    /// may let go of what it has fetched, until the next [`poll_batch`](Self::poll_batch).
    fn rest(&mut self) {}
}

/// A partition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueueError(pub String);

/// Publishes what handlers emit. Shared by all lanes of a service.
pub trait Publish: Send + Sync + 'static {
    /// Enqueues a record without waiting, and completes `ticket` when the broker has answered. Records that one lane
    /// enqueues for one partition are written in that order; those above [`max_letter_bytes`](Self::max_letter_bytes) may be
    /// overtaken.
    ///
    /// # Errors
    ///
    /// The record was not enqueued: the ticket comes back with the reason.
    fn enqueue(&self, record: &Arc<Outgoing>, ticket: Ticket)
    -> Result<(), (Ticket, PublishError)>;

    /// Lets the client hand out answers on this thread, without waiting. A lane that has records on their way calls it, so
    /// that memory is freed where it was taken; answers must come without it too.
    ///
    /// If the lane `waits`, its `waker` may be woken when there are answers, for whatever lane: then the lane calls this
    /// again. Else it is not to be woken any more.
    fn serve(&self, waker: &Waker, waits: bool) {
        let _ = (waker, waits);
    }

    /// The largest record that can be published, in bytes of key, value and headers.
    fn max_record_bytes(&self) -> usize;

    /// The same for what dead-letter and parked topics are sent, which take larger records than their sources. A letter above
    /// it gives up what it can do without; it is enqueued all the same, since nothing else may become of it.
    fn max_letter_bytes(&self) -> usize {
        self.max_record_bytes()
    }

    /// Now, in milliseconds since the Unix epoch: what the waits of parked records are told by.
    fn now(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        since_epoch.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// A record was not written, or perhaps was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The client's queue is full; the record was not written. Try again later.
    #[error("the client's queue is full")]
    Full,
    /// The producer is gone or fenced: the record may have been written. It is enqueued again on a new producer.
    #[error("the producer was lost: {0}; the record may have been written")]
    Lost(String),
    /// No retry can heal it (no such topic, no right); the record was not written.
    #[error("the broker refuses the record: {0}; it was not written")]
    Refused(String),
    /// Refused too, because of its size or that of the batch that it was sent in; the record was not written.
    #[error("the broker refuses the record: {0}; it was not written")]
    TooLarge(String),
    /// Refused because of something about the record that the client does not name when it was sent in a batch: its time, or a
    /// key that it lacks; the record was not written.
    #[error("the broker refuses the record: {0}; it was not written")]
    Invalid(String),
    /// Refused because of its time, or that of a record in its batch; the record was not written.
    #[error("the broker refuses the record: {0}; it was not written")]
    Untimely(String),
    /// No answer within the producer's time; the record may have been written.
    #[error("no answer in time: {0}; the record may have been written")]
    TimedOut(String),
}

impl PublishError {
    /// Whether the record may stand in the log in spite of the error.
    pub fn may_be_written(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::TimedOut(_))
    }
}

/// The right to say once how a publish ended. Dropping it unused says [`PublishError::Lost`].
#[derive(Debug)]
pub struct Ticket {
    acks: Option<Arc<Acks>>,
    number: u64,
}

impl Ticket {
    pub(crate) fn new(acks: Arc<Acks>, number: u64) -> Self {
        Self {
            acks: Some(acks),
            number,
        }
    }

    /// Says how it ended.
    pub fn complete(mut self, outcome: Result<Written, PublishError>) {
        if let Some(acks) = self.acks.take() {
            acks.push(self.number, outcome);
        }
    }

    /// Takes the ticket back without an answer, because its record was not enqueued.
    pub(crate) fn revoke(mut self) {
        self.acks = None;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(acks) = self.acks.take() {
            let lost =
                PublishError::Lost("the producer dropped the record without an answer".into());
            acks.push(self.number, Err(lost));
        }
    }
}

/// How far a lane is: what is committed for its partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// The first offset that is not done.
    pub watermark: i64,
    /// What is done above it, as offset metadata in ASCII; empty for nothing.
    pub metadata: String,
    /// Where the partition's parked log is to be read from, to be committed in the same request; none without parking.
    pub parked: Option<ParkedPosition>,
}

/// Where a parked log is to be read from: a hint, so an older one costs only time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ParkedPosition {
    /// The parked topic; the partition is that of the source.
    pub topic: String,
    /// The first offset that matters.
    pub offset: i64,
    /// The claim in force there, as offset metadata in ASCII.
    pub claim: String,
}

/// The parked log of a partition that is assigned.
#[derive(Debug)]
pub struct ParkedStart<Q> {
    /// The parked topic; the partition is that of the source.
    pub topic: String,
    /// Its records from the committed hint on, or from the log's start.
    pub queue: Q,
    /// The group's generation in which the partition was assigned: a later assignment has a higher one.
    pub generation: i64,
    /// The metadata that was committed with the hint; empty if nothing.
    pub claim: String,
}
