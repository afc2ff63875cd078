//! The in-memory broker.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{SystemTime, UNIX_EPOCH};

use events_core::{Event, Outgoing};
use events_runtime::{
    Faults, Position, PublishError, Service, TopicPartition, Written, parked_header,
};
use tokio::time::Instant;

use crate::edge::Edge;
use crate::received::Received;
use crate::running::RunningService;
use crate::state::State;

/// A Kafka-shaped broker in memory: topics, partitions, offsets, consumer groups, and faults on demand.
///
/// It needs no network and no thread of its own, so it runs under tokio's paused clock. Clones share one broker.
///
/// # Delivery
///
/// A key lies in the partition where Kafka puts it. Partitions are spread evenly over the members of a group; when one
/// joins or leaves, partitions that move are drained, committed, and only then given to their new owner.
///
/// # Examples
///
/// ```standalone_crate
/// use events_core::{event, handler};
/// use events_runtime::Service;
/// use events_testkit::Broker;
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
/// #[event(topic = "inventory", key = order_id)]
/// pub struct StockReserved { pub order_id: String }
///
/// #[handler]
/// async fn reserve(order: OrderPlaced) -> StockReserved {
///     StockReserved { order_id: order.order_id }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
/// # runtime.block_on(async {
/// let broker = Broker::new();
/// broker.auto_create(1);
/// let running = broker.join(Service::new("inventory"))?;
/// broker.publish(&OrderPlaced { order_id: "o-1".into() });
/// events_testkit::eventually("stock is reserved", async || broker.records("inventory").len() == 1).await;
/// assert!(running.shutdown().await.drained);
/// # anyhow::Ok(())
/// # })?;
/// # anyhow::Ok(())
/// ```
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    edge: Edge,
    /// Timestamps follow tokio's clock, paused or not, from the time at which the broker was made.
    born: Instant,
    born_millis: i64,
}

impl Broker {
    /// A broker without topics.
    pub fn new() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(Arc::new(Inner {
            state: Mutex::default(),
            edge: Edge::new("edge"),
            born: Instant::now(),
            born_millis: since_epoch.as_millis() as i64,
        }))
    }

    /// From now on makes every topic that somebody names, with that many partitions.
    pub fn auto_create(&self, partitions: i32) -> &Self {
        self.state().auto_create = Some(partitions);
        self
    }

    /// Makes a topic, or grows one that has fewer partitions.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> &Self {
        self.state().create(topic, partitions);
        self
    }

    /// The largest record that services can publish. Default 1,000,000 bytes.
    pub fn max_record_bytes(&self, bytes: usize) -> &Self {
        self.state().max_record_bytes = bytes;
        self
    }

    /// The time of the broker, in milliseconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        self.0.born_millis + self.0.born.elapsed().as_millis() as i64
    }

    /// Publishes an event as a producer at the edge does.
    ///
    /// # Panics
    ///
    /// When the topic does not exist, or the event cannot be encoded.
    #[track_caller]
    pub fn publish<E: Event>(&self, event: &E) -> Written {
        let record = self.0.edge.record(event).expect("the event can be encoded");
        self.produce(record)
            .expect("the topic exists; create it, or use `auto_create`")
    }

    /// Writes a record as it is, whatever faults are set for services.
    ///
    /// # Errors
    ///
    /// There is no such topic or partition.
    pub fn produce(&self, record: Outgoing) -> Result<Written, PublishError> {
        let now = self.now();
        let (written, readers) = self.state().append(Arc::new(record), now)?;
        readers.into_iter().for_each(Waker::wake);
        Ok(written)
    }

    /// All records of a topic, by partition and offset.
    pub fn records(&self, topic: &str) -> Vec<Received> {
        let state = self.state();
        let mut records = Vec::new();
        for log in state.logs(topic) {
            log.read(log.offsets().start, usize::MAX, &mut records);
        }
        records
    }

    /// Everything that services have published, over all topics, in the order in which it was written; not what they
    /// write down of parked keys.
    pub fn published(&self) -> Vec<Received> {
        let mut published = self.state().published.clone();
        published.retain(|record| record.header_text(parked_header::FACT).is_none());
        published
    }

    /// For each partition of a topic the offset that comes next.
    pub fn ends(&self, topic: &str) -> BTreeMap<TopicPartition, i64> {
        let state = self.state();
        let ends = state
            .logs(topic)
            .iter()
            .map(|log| log.offsets().end)
            .enumerate();
        ends.map(|(partition, end)| (TopicPartition::new(topic, partition as i32), end))
            .collect()
    }

    /// What a group has committed.
    pub fn committed(&self, group: &str) -> BTreeMap<TopicPartition, Position> {
        self.state().group(group).committed.clone()
    }

    /// Commits for a group, as an operator does who moves it.
    pub fn commit(&self, group: &str, partition: TopicPartition, position: Position) {
        self.state()
            .group(group)
            .committed
            .insert(partition, position);
    }

    /// How many members a group has.
    pub fn members(&self, group: &str) -> usize {
        self.state().group(group).members()
    }

    /// Starts a service as one more member of its groups. It must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// All faults of the service at once, with every topic that is missing.
    pub fn join(&self, service: Service) -> Result<RunningService, Faults> {
        RunningService::start(self.clone(), service)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}
