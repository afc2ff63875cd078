//! Received records of one partition, as the engine wants them.

use std::sync::Arc;
use std::task::{Context, Poll};

use events_core::RecordView;
use events_core::escape::shell;
use events_runtime::{Queue, QueueError, Record};
use rdkafka::error::RDKafkaErrorCode;

use crate::ffi::{Message, NativeQueue, consume};
use crate::rebalance::{EpochWriter, created_again};
use crate::rights::Watch;
use crate::topic_watch::{Checked, TopicWatch};
use crate::unreadable::is_unreadable;

/// Bytes that a message takes beside key, value and headers: the client's own structures.
const OVERHEAD: usize = 512;
/// Two records that lie farther apart need not lie in one fetch.
const NEAR: usize = 4 * 1024;
/// Bytes of key and headers of each record that the client may fetch ahead: its bounds count the value alone.
const DENSE: usize = 4 * 1024;
/// Not known.
const UNKNOWN: u32 = u32::MAX;

/// Received records of one partition.
pub(crate) struct PartitionQueue {
    queue: Arc<NativeQueue>,
    watch: Arc<Watch>,
    /// Why the partition cannot be read any more, until it is assigned anew.
    broken: Option<String>,
    /// The partition is paused until the next read.
    rests: bool,
    /// The offset behind the last record that was read.
    next: i64,
    /// Whether the client's position says what was handed out: not while it may be that of an earlier assignment, and not
    /// once an error has moved it, which counts as a record.
    sure: bool,
    /// Told of the leader epochs of records; none for a parked log.
    epochs: Option<EpochWriter>,
    /// Asked whether the topic is still the same; none for a parked log.
    topics: Option<Arc<TopicWatch>>,
    /// The committed position and its leader epoch, until the first record has come.
    committed: Option<(i64, i32)>,
}

impl PartitionQueue {
    /// `begin` is the offset at which the partition is assigned.
    pub(crate) fn new(queue: NativeQueue, begin: i64, watch: &Arc<Watch>) -> Self {
        Self {
            queue: Arc::new(queue),
            watch: Arc::clone(watch),
            broken: None,
            rests: false,
            next: begin,
            sure: false,
            epochs: None,
            topics: None,
            committed: None,
        }
    }

    /// Of a log whose positions the group commits: with leader epochs, and as long as its topic is the same.
    pub(crate) fn identified(mut self, epochs: EpochWriter, topics: Arc<TopicWatch>) -> Self {
        self.committed = (epochs.epoch() >= 0).then_some((self.next, epochs.epoch()));
        self.epochs = Some(epochs);
        self.topics = Some(topics);
        self
    }

    /// Reads nothing, and says why, until the partition is assigned again.
    pub(crate) fn hold(&mut self, reason: String) {
        self.broken = Some(reason);
        self.pause();
    }

    /// Lets the client validate the committed position if the leader has changed since: the one that came may not have had
    /// what lies before that, and other records stand there. A client validates what it seeks to, not what it is assigned.
    /// Answers whether `first`, the first of all records, is to be read again.
    fn validates(&mut self, first: Option<&KafkaRecord>) -> bool {
        let Some((offset, epoch)) = self.committed.filter(|_| first.is_some()) else {
            return false;
        };
        self.committed = None;
        if first.is_none_or(|first| first.message.leader_epoch() <= epoch) {
            return false;
        }
        tracing::debug!(
            topic = self.queue.topic(),
            partition = self.queue.partition(),
            offset,
            epoch,
            "the leader has changed since the position was committed: it is validated"
        );
        if let Err(code) = self.queue.seek_validated(offset, epoch) {
            // To go on would pass the records that were just taken from the client.
            self.broken = Some(format!(
                "{code:?}: the committed offset {offset} could not be validated after a change of the leader; restart the service"
            ));
        }
        (self.next, self.sure) = (offset, false);
        true
    }

    /// Epochs ascend, so that a batch whose last record has the known one has no other.
    fn tell_epochs(&mut self, records: &[KafkaRecord]) {
        let (Some(epochs), Some(last)) = (&mut self.epochs, records.last()) else {
            return;
        };
        let first = match last.message.leader_epoch() == epochs.epoch() {
            true => records.len() - 1,
            false => 0,
        };
        for KafkaRecord { message, .. } in &records[first..] {
            epochs.read(message.offset(), message.leader_epoch());
        }
    }

    /// Read in batches, an error moves the client's position one record on, and a rebalance, which pauses and resumes all
    /// partitions, would go on there: that record would be lost (D1).
    fn read_on(&self) {
        if let Err(code) = self.queue.seek(self.next) {
            // It is being taken away, so nothing is read on here.
            tracing::debug!(%code, "a partition with an error does not seek");
        }
    }

    fn pause(&mut self) {
        // A partition that is being taken away cannot be paused, and need not be.
        self.rests = self.rests || self.queue.pause().is_ok();
    }
}

impl Queue for PartitionQueue {
    type Record = KafkaRecord;

    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<KafkaRecord>,
    ) -> Poll<Result<(), QueueError>> {
        if let Some(reason) = &self.broken {
            return Poll::Ready(Err(QueueError(reason.clone())));
        }
        // Registered first: a record that arrives from now on wakes the lane.
        self.queue.register(cx.waker());
        if self.rests {
            if let Err(code) = self.queue.resume() {
                return Poll::Ready(Err(QueueError(format!(
                    "the client does not resume the partition: {code}"
                ))));
            }
            self.rests = false;
        }
        if let Some(topics) = &self.topics {
            let received = || !self.queue.is_empty();
            match topics.check(self.queue.topic(), cx.waker(), received) {
                Checked::Same => {}
                Checked::Asked => return Poll::Pending,
                Checked::Another(assigned, found) => {
                    self.hold(created_again(&assigned, &found));
                    return self.poll_batch(cx, max, into);
                }
            }
        }
        let before = into.len();
        let mut trouble = None;
        let (next, sure) = (&mut self.next, &mut self.sure);
        consume(&self.queue, max, |message| match message.error() {
            None => {
                *next = message.offset() + 1;
                *sure = true;
                into.push(KafkaRecord::of(message));
            }
            Some((RDKafkaErrorCode::PartitionEOF, _)) => {}
            Some((code, text)) => trouble = Some((code, text, message.offset())),
        });
        if self.validates(into.get(before)) {
            into.truncate(before);
            // What comes may come behind what is left of the earlier fetch, and wake nobody.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.tell_epochs(&into[before..]);
        if is_dense(measured(&mut into[before..])) {
            self.pause();
        }
        if let Some((code, text, offset)) = trouble {
            self.sure = false;
            let mut text = format!("{code:?}: {text}");
            if is_unreadable(code) {
                text = format!(
                    "{text}; the batch at offset {offset} cannot be unpacked: it is damaged, or larger than `receive.message.max.bytes`. Raise that property (KAFKA_RECEIVE_MESSAGE_MAX_BYTES), or stop the service and run `skip-batch --topic {} --partition {}`",
                    shell(self.queue.topic()),
                    self.queue.partition()
                );
            }
            if let Some(trouble) = self.watch.refused(code) {
                text = format!("{text}; {trouble}");
            }
            if !matches!(
                code,
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange
            ) {
                self.read_on();
                return Poll::Ready(Err(QueueError(text)));
            }
            // The client has stopped to fetch. Where to go on is an operator's decision (D14), never a silent reset.
            self.broken = Some(format!(
                "{text}; the committed offset is not in the log: retention overtook the group, the topic was made anew, or the log lost its tail and grew again. Reset the group's offset with kafka-consumer-groups.sh --reset-offsets while the service is stopped"
            ));
        }
        match &self.broken {
            Some(text) if into.len() == before => Poll::Ready(Err(QueueError(text.clone()))),
            _ if into.len() == before => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }

    fn position(&mut self) -> Option<i64> {
        let (position, epoch) = self.queue.position().unzip();
        // The client forgets its position when it begins to read a partition, or to read it from another offset. From then on
        // this queue alone moves it.
        self.sure = self.sure || position.is_none() && self.broken.is_none();
        let position = position.filter(|_| self.sure);
        if let (Some(position), Some(epoch), Some(epochs)) = (position, epoch, &mut self.epochs) {
            epochs.read(position - 1, epoch);
        }
        position
    }

    fn rest(&mut self) {
        self.pause();
    }
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        // The client keeps a pause over assignments.
        if self.rests
            && let Err(code) = self.queue.resume()
        {
            tracing::debug!(%code, "a partition that was paused is not resumed");
        }
    }
}

/// Tells each record how many bytes of headers it has, where that can be seen without parsing them: headers lie between a
/// record's value and the next record. The few bytes that stand there too are counted with them.
fn measured(records: &mut [KafkaRecord]) -> &[KafkaRecord] {
    let mut next = None;
    for record in records.iter_mut().rev() {
        let place = record.message.place();
        if let (Some((_, end)), Some(next)) = (place, next) {
            record.headers = between(end, next);
        }
        next = place.map(|(begin, _)| begin);
    }
    records
}

fn between(end: usize, next: usize) -> u32 {
    let gap = next.checked_sub(end).filter(|gap| *gap <= NEAR);
    gap.and_then(|gap| u32::try_from(gap).ok())
        .unwrap_or(UNKNOWN)
}

/// Whether the client would fetch far more ahead of these records than its bounds say.
fn is_dense(records: &[KafkaRecord]) -> bool {
    let uncounted =
        |record: &KafkaRecord| record.header_bytes() + record.message.key().map_or(0, <[u8]>::len);
    !records.is_empty() && records.iter().map(uncounted).sum::<usize>() / records.len() > DENSE
}

/// A received record, in the client's memory.
pub(crate) struct KafkaRecord {
    pub(crate) message: Message,
    /// Bytes of its headers, or [`UNKNOWN`].
    headers: u32,
}

impl KafkaRecord {
    pub(crate) fn of(message: Message) -> Self {
        Self {
            message,
            headers: UNKNOWN,
        }
    }

    fn header_bytes(&self) -> usize {
        if self.headers != UNKNOWN {
            return self.headers as usize;
        }
        let headers = (0..).map_while(|index| self.message.header(index));
        headers
            .map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len))
            .sum()
    }
}

impl RecordView for KafkaRecord {
    fn topic(&self) -> &str {
        self.message.topic()
    }

    fn partition(&self) -> i32 {
        self.message.partition()
    }

    fn offset(&self) -> i64 {
        self.message.offset()
    }

    fn timestamp(&self) -> Option<i64> {
        self.message.timestamp()
    }

    fn key(&self) -> Option<&[u8]> {
        self.message.key()
    }

    fn value(&self) -> Option<&[u8]> {
        self.message.value()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        self.message.header(index)
    }
}

impl Record for KafkaRecord {
    fn size(&self) -> usize {
        let (key, value) = (self.message.key(), self.message.value());
        OVERHEAD + self.header_bytes() + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
    }

    fn has_unreadable_headers(&self) -> bool {
        self.message.has_unreadable_headers()
    }

    fn forget_headers(&mut self) {
        self.message.forget_headers();
    }
}

#[cfg(test)]
mod tests;
