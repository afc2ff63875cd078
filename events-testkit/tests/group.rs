//! A member's lanes, driven without a broker.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Outgoing, RecordView, event, handler};
use events_runtime::{
    Group, Publish, PublishError, Queue, QueueError, Record, Service, Ticket, TopicPartition,
};

#[event(topic = "group-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "group-lanes")]
async fn ship(_order: OrderPlaced) {}

struct NoRecord(Infallible);

impl RecordView for NoRecord {
    fn topic(&self) -> &str {
        match self.0 {}
    }
    fn partition(&self) -> i32 {
        match self.0 {}
    }
    fn offset(&self) -> i64 {
        match self.0 {}
    }
    fn timestamp(&self) -> Option<i64> {
        match self.0 {}
    }
    fn key(&self) -> Option<&[u8]> {
        match self.0 {}
    }
    fn value(&self) -> Option<&[u8]> {
        match self.0 {}
    }
    fn header(&self, _index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        match self.0 {}
    }
}

impl Record for NoRecord {
    fn size(&self) -> usize {
        match self.0 {}
    }
}

/// Has no records. Its first call may say that it came, and hold its thread up until it is told to go on.
struct Empty {
    stop: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    /// Of no use but that it goes with the queue.
    _alive: Arc<()>,
}

impl Queue for Empty {
    type Record = NoRecord;

    fn poll_batch(
        &mut self,
        _cx: &mut Context<'_>,
        _max: usize,
        _into: &mut Vec<NoRecord>,
    ) -> Poll<Result<(), QueueError>> {
        if let Some((came, go)) = self.stop.lock().unwrap().take() {
            came.send(()).unwrap();
            go.recv().unwrap();
        }
        Poll::Pending
    }
}

struct Nowhere;

impl Publish for Nowhere {
    fn enqueue(
        &self,
        _record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        Err((ticket, PublishError::Full))
    }

    fn max_record_bytes(&self) -> usize {
        1 << 20
    }
}

/// No lane is left to itself, also not one whose partition was assigned anew before it was given up (D9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_lane_is_waited_for() {
    let plan = Service::new("group-lanes").without_parking().plan();
    let handle = tokio::runtime::Handle::current();
    let group = Group::new(plan.unwrap().remove(0), Arc::new(Nowhere), handle);
    let (alive, assigned) = (Arc::new(()), TopicPartition::new("group-orders", 0));
    let queue = |stop| Empty {
        stop: Mutex::new(stop),
        _alive: Arc::clone(&alive),
    };
    let ((came, comes), (begin, go)) = (channel(), channel());
    group.assign(assigned.clone(), queue(Some((came, go))), 0, "", None);
    comes.recv().unwrap();
    group.assign(assigned, queue(None), 0, "", None);
    let late = tokio::spawn(async move {
        // Long after the lane that replaced it has ended, and well within the second that a lane has.
        tokio::time::sleep(Duration::from_millis(200)).await;
        begin.send(())
    });
    let revoked = group.shutdown(Duration::ZERO).await;
    assert_eq!(revoked.positions.len(), 1, "one of them counts");
    assert_eq!(Arc::strong_count(&alive), 1, "a lane has not ended");
    late.await.unwrap().unwrap();
}
