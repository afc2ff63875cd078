//! One record on its way through a lane.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use events_core::{Outgoing, RecordView};
use events_runtime::{
    Group, GroupPlan, Publish, PublishError, Revoked, Ticket, TopicPartition, Written,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use crate::record::One;

static TOKIO: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without threads starts")
});

/// Lets a lane of its own take the record. Returns how the lane ended, and what it published.
pub(crate) fn run(plan: &Arc<GroupPlan>, record: One) -> (Revoked, Vec<Arc<Outgoing>>) {
    let offset = record.offset();
    let broker = Arc::new(Broker::default());
    let revoked = TOKIO.block_on(async {
        let group = Group::new(
            Arc::clone(plan),
            Arc::clone(&broker) as _,
            TOKIO.handle().clone(),
        );
        let (queue, taken) = record.queue();
        group.assign(TopicPartition::new("fuzzed", 0), queue, offset, "", None);
        // A lane that drains takes nothing more; one that took a record goes through with it at once.
        while !taken.load(Ordering::Relaxed) {
            yield_now().await;
        }
        group.shutdown(Duration::from_secs(5)).await
    });
    let published = broker.0.lock().unwrap_or_else(PoisonError::into_inner);
    (revoked, published.clone())
}

/// A broker that takes everything at once.
#[derive(Default)]
struct Broker(Mutex<Vec<Arc<Outgoing>>>);

impl Publish for Broker {
    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(record));
        ticket.complete(Ok(Written {
            partition: 0,
            offset: 0,
        }));
        Ok(())
    }

    fn max_record_bytes(&self) -> usize {
        1_000_000
    }
}
