//! A log that a test writes, and a member that reads it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use events_core::{Outgoing, RecordView};
use events_runtime::{
    Group, LaneStatus, Position, Publish, PublishError, Queue, QueueError, Record, Service, Ticket,
    TopicPartition, Written,
};

/// A record of the log.
#[derive(Clone)]
pub(crate) struct Entry {
    topic: &'static str,
    offset: i64,
    key: String,
    value: String,
    headers: Vec<(&'static str, String)>,
}

impl Entry {
    pub(crate) fn new(topic: &'static str, offset: i64, kind: &str, key: &str) -> Self {
        Self {
            topic,
            offset,
            key: key.to_owned(),
            value: format!("{{\"key\":\"{key}\"}}"),
            headers: vec![("ce_type", kind.to_owned())],
        }
    }

    /// With a value that cannot be decoded.
    pub(crate) fn mangled(mut self) -> Self {
        self.value = "{".to_owned();
        self
    }

    /// With a source and that id.
    pub(crate) fn id(mut self, id: &str) -> Self {
        self.headers.push(("ce_source", "test".to_owned()));
        self.headers.push(("ce_id", id.to_owned()));
        self
    }
}

impl RecordView for Entry {
    fn topic(&self) -> &str {
        self.topic
    }
    fn partition(&self) -> i32 {
        0
    }
    fn offset(&self) -> i64 {
        self.offset
    }
    fn timestamp(&self) -> Option<i64> {
        Some(0)
    }
    fn key(&self) -> Option<&[u8]> {
        Some(self.key.as_bytes())
    }
    fn value(&self) -> Option<&[u8]> {
        Some(self.value.as_bytes())
    }
    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((name.as_bytes(), Some(value.as_bytes())))
    }
}

impl Record for Entry {
    fn size(&self) -> usize {
        64
    }
}

/// The records that the client has fetched and not delivered.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<(VecDeque<Entry>, Option<Waker>)>>);

impl Log {
    pub(crate) fn push(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut log = self.0.lock().unwrap();
        log.0.extend(entries);
        if let Some(waker) = log.1.take() {
            waker.wake();
        }
    }
}

impl Log {
    /// Records that no lane has taken.
    pub(crate) fn left(&self) -> usize {
        self.0.lock().unwrap().0.len()
    }

    /// Whether a lane reads it.
    pub(crate) fn is_read(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Queue for Log {
    type Record = Entry;

    fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<Entry>,
    ) -> Poll<Result<(), QueueError>> {
        let mut log = self.0.lock().unwrap();
        if log.0.is_empty() {
            log.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let most = max.min(log.0.len());
        into.extend(log.0.drain(..most));
        Poll::Ready(Ok(()))
    }
}

/// Takes whatever is published; answers are given at once, or held back.
#[derive(Default)]
pub(crate) struct Topics {
    pub(crate) written: Mutex<Vec<Arc<Outgoing>>>,
    held: Mutex<Option<Vec<Ticket>>>,
}

impl Topics {
    /// Holds answers back from now on.
    pub(crate) fn hold(&self) {
        *self.held.lock().unwrap() = Some(Vec::new());
    }

    /// Gives the answers that were held back, and all others at once.
    pub(crate) fn answer(&self) {
        let held = self.held.lock().unwrap().take();
        for ticket in held.into_iter().flatten() {
            ticket.complete(Ok(WRITTEN));
        }
    }
}

const WRITTEN: Written = Written {
    partition: 0,
    offset: 0,
};

impl Publish for Topics {
    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        self.written.lock().unwrap().push(Arc::clone(record));
        match &mut *self.held.lock().unwrap() {
            Some(held) => held.push(ticket),
            None => ticket.complete(Ok(WRITTEN)),
        }
        Ok(())
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }
}

/// A member with one partition.
pub(crate) struct Member {
    group: Group,
    pub(crate) log: Log,
    pub(crate) topics: Arc<Topics>,
    last: Mutex<Position>,
}

impl Member {
    /// Reads the log of `topic` from the position on.
    pub(crate) fn start(service: Service, topic: &str, from: &Position) -> Self {
        let plan = service.without_parking().plan().unwrap().remove(0);
        let (log, topics) = (Log::default(), Arc::new(Topics::default()));
        let group = Group::new(
            plan,
            Arc::clone(&topics) as Arc<dyn Publish>,
            tokio::runtime::Handle::current(),
        );
        let partition = TopicPartition::new(topic, 0);
        group.assign(partition, log.clone(), from.watermark, &from.metadata, None);
        Self {
            group,
            log,
            topics,
            last: Mutex::new(from.clone()),
        }
    }

    /// Lets the lane work until nothing changes any more, and answers what it would commit. For tests by a paused clock, which
    /// goes on only once every task waits.
    pub(crate) async fn settled(&self) -> Position {
        for _ in 0..3 {
            self.group.request_positions();
            tokio::time::sleep(Duration::from_secs(1)).await;
            for (_, position) in self.group.take_positions() {
                *self.last.lock().unwrap() = position;
            }
            self.group.acknowledge_positions();
        }
        self.last.lock().unwrap().clone()
    }

    pub(crate) fn lane(&self) -> LaneStatus {
        self.group.lane_status().remove(0)
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }
}

pub(crate) fn at(watermark: i64) -> Position {
    Position {
        watermark,
        metadata: String::new(),
        parked: None,
    }
}
