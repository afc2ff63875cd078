//! Letters that are refused only because of what they were sent together with go out one by one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use events_core::{Emissions, Outgoing, Terminal, event, handler};
use events_runtime::{
    Group, Publish, PublishError, Queue, QueueError, Service, Ticket, TopicPartition, Written,
};
use events_testkit::{Received, eventually};

#[event(topic = "batched-orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[handler(service = "batched", park = "off")]
async fn refuse(order: OrderPlaced) -> events_core::Result<()> {
    Err(Terminal::msg(order.order_id).into())
}

/// As much as the broker takes at once.
const LIMIT: usize = 2_000;

type Batch = Vec<(Arc<Outgoing>, Ticket)>;

/// Sends all that comes within a moment as one batch, which the broker takes or refuses as a whole.
#[derive(Clone, Default)]
struct Batching {
    waiting: Arc<Mutex<Batch>>,
    refused: Arc<Mutex<usize>>,
    written: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Batching {
    fn send(&self) {
        let batch = std::mem::take(&mut *self.waiting.lock().unwrap());
        let size: usize = batch.iter().map(|(record, _)| record.size()).sum();
        for (record, ticket) in batch {
            if size > LIMIT {
                *self.refused.lock().unwrap() += 1;
                ticket.complete(Err(PublishError::TooLarge("the batch".into())));
                continue;
            }
            let key = String::from_utf8_lossy(record.key().unwrap()).into_owned();
            let mut written = self.written.lock().unwrap();
            *written.entry(key).or_default() += 1;
            let offset = written.len() as i64;
            drop(written);
            let partition = 0;
            ticket.complete(Ok(Written { partition, offset }));
        }
    }
}

impl Publish for Batching {
    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.push((Arc::clone(record), ticket));
        if waiting.len() == 1 {
            let this = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                this.send();
            });
        }
        Ok(())
    }

    fn max_record_bytes(&self) -> usize {
        100 * LIMIT
    }
}

struct Once(Vec<Received>);

impl Queue for Once {
    type Record = Received;

    fn poll_batch(
        &mut self,
        _: &mut Context<'_>,
        _: usize,
        into: &mut Vec<Received>,
    ) -> Poll<Result<(), QueueError>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        into.append(&mut self.0);
        Poll::Ready(Ok(()))
    }
}

fn order(offset: i64) -> Received {
    let event = OrderPlaced {
        order_id: format!("o-{offset}"),
    };
    let mut emissions = Emissions::new();
    emissions.push(&event).unwrap();
    let emitted = emissions.iter().next().unwrap();
    let mut record = Outgoing::new("batched-orders");
    record.set_key(event.order_id.as_bytes());
    record.set_value(emitted.value);
    record.add_header("ce_type", "OrderPlaced");
    Received {
        topic: "batched-orders".into(),
        partition: 0,
        offset,
        timestamp: 0,
        record: Arc::new(record),
    }
}

#[tokio::test(start_paused = true)]
async fn letters_of_a_batch_that_is_too_large_go_out_one_by_one() {
    let plan = Service::new("batched").plan().unwrap().remove(0);
    let publish = Batching::default();
    let handle = tokio::runtime::Handle::current();
    let group = Group::new(plan, Arc::new(publish.clone()), handle);
    let partition = TopicPartition::new("batched-orders", 0);
    let queue = Once((0..50).map(order).collect());
    group.assign(partition, queue, 0, "", None);
    eventually("all are written", async || {
        publish.written.lock().unwrap().len() == 50
    })
    .await;
    let revoked = group.shutdown(Duration::from_secs(5)).await;
    assert!(revoked.report.drained);
    assert_eq!(revoked.positions[0].1.watermark, 50);
    assert!(*publish.refused.lock().unwrap() > 0);
    let times = publish.written.lock().unwrap();
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}
