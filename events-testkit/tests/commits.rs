//! What a member does between two commits is bounded, however fast its handlers are (D3).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Outgoing, RecordView, State, event, handler};
use events_runtime::{
    Group, Publish, PublishError, Queue, QueueError, Record, Service, Ticket, TopicPartition,
};
use events_testkit::{eventually, throughout};

const BOUND: u64 = 100;
const PARTITIONS: i32 = 4;

#[event(topic = "commits-ticks")]
struct Ticked {
    #[serde(default)]
    count: u64,
}

#[derive(Default)]
struct Done(AtomicU64);

#[handler(service = "commits")]
async fn count(_ticked: Ticked, done: State<Done>) {
    let before = done.0.fetch_add(1, Ordering::Relaxed);
    if before.is_multiple_of(3) {
        tokio::task::yield_now().await;
    }
}

struct Tick {
    partition: i32,
    offset: i64,
    id: String,
}

impl RecordView for Tick {
    fn topic(&self) -> &str {
        "commits-ticks"
    }
    fn partition(&self) -> i32 {
        self.partition
    }
    fn offset(&self) -> i64 {
        self.offset
    }
    fn timestamp(&self) -> Option<i64> {
        None
    }
    fn key(&self) -> Option<&[u8]> {
        None
    }
    fn value(&self) -> Option<&[u8]> {
        Some(b"{}")
    }
    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let headers = [
            ("ce_type", "Ticked"),
            ("ce_source", "test"),
            ("ce_id", &self.id),
        ];
        let (name, value) = headers.get(index)?;
        Some((name.as_bytes(), Some(value.as_bytes())))
    }
}

impl Record for Tick {
    fn size(&self) -> usize {
        1
    }
}

/// Far more than are taken, and not so many that a lane without a bound would run for ever.
const RECORDS: i64 = 10_000;

/// Has as many records as are asked for.
struct Long {
    partition: i32,
    next: i64,
}

impl Queue for Long {
    type Record = Tick;

    fn poll_batch(
        &mut self,
        _cx: &mut Context<'_>,
        max: usize,
        into: &mut Vec<Tick>,
    ) -> Poll<Result<(), QueueError>> {
        for _ in 0..max.min((RECORDS - self.next) as usize) {
            into.push(Tick {
                partition: self.partition,
                offset: self.next,
                id: format!("{}-{}", self.partition, self.next),
            });
            self.next += 1;
        }
        match into.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
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

#[tokio::test(start_paused = true)]
async fn lanes_begin_no_more_than_the_bound_until_their_positions_are_acknowledged() {
    let done = Arc::new(Done::default());
    let plan = Service::new("commits")
        .shared_state(Arc::clone(&done))
        .without_parking()
        .configure(|settings| settings.commit_records = BOUND)
        .plan();
    let handle = tokio::runtime::Handle::current();
    let group = Group::new(plan.unwrap().remove(0), Arc::new(Nowhere), handle);
    for partition in 0..PARTITIONS {
        let queue = Long { partition, next: 0 };
        let name = TopicPartition::new("commits-ticks", partition);
        group.assign(name, queue, 0, "", None);
    }
    let count = || done.0.load(Ordering::Relaxed);
    let while_long = Duration::from_secs(10);
    for commit in 1..=5 {
        eventually("the lanes are at the bound", async || {
            count() >= commit * BOUND
        })
        .await;
        // The clock stands still while a lane has something to do.
        tokio::time::sleep(while_long).await;
        let now = count();
        throughout("no lane begins more", while_long, async || count() == now).await;
        assert_eq!(now, commit * BOUND);
        group.commit_due().await;
        let taken = group.take_positions();
        assert!(taken.is_empty(), "no lane was asked: {taken:?}");
        group.acknowledge_positions();
        throughout("no lane begins more", while_long, async || count() == now).await;
        group.gather_positions(Duration::from_secs(1)).await;
        group.take_positions();
        throughout("no lane begins more", while_long, async || count() == now).await;
        group.acknowledge_positions();
    }
    group.shutdown(Duration::ZERO).await;
}
