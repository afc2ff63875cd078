//! Publishing from the edge: events that no handler causes.

mod batch;
mod builder;
mod deliveries;
mod failure;
mod link;
mod receipt;
mod replies;
mod sender;
mod stamp;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use events_core::{Emitted, Event, Fact, Outgoing, time_now};
use events_runtime::Written;

pub use builder::ProducerBuilder;
pub use failure::{PublishAllFailed, PublishFailed};
pub use receipt::Receipt;
pub use replies::RequestFailed;
pub use sender::Sender;

use crate::error::KafkaError;
use crate::options::ClientOptions;
use crate::sink::naming;
use link::Link;
use replies::Replies;
use stamp::{Origin, Stamp};

/// Publishes events that no handler causes: from a web server, a timer, a file. Commands are sent: by its
/// [`sender`](Self::sender).
///
/// The topic, the key, the version and the headers come from the type. Cloning is cheap, and clones share the client.
/// What is under way is bounded; publishing waits for room.
///
/// # Delivery
///
/// An event is written at least once when its publish succeeds, and once unless the error of an earlier try
/// [may have been written](PublishFailed::may_be_written). Events with the same key are written in the order in which
/// they were enqueued. Each gets a fresh id (UUIDv7) unless it is given [one](Self::publish_with_id), and begins a flow of
/// its own unless [`correlated`](Self::correlated) says otherwise.
///
/// Dropping the last clone lets events that nobody awaited go out for five seconds more, in the background;
/// [`close`](Self::close) waits for them and says what is missing.
///
/// # Examples
///
/// ```no_run
/// use events_kafka::{event, ClientOptions, Producer};
///
/// /// An order was accepted.
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
///
/// # async fn example() -> events_kafka::Result<()> {
/// let producer = Producer::connect("shop", ClientOptions::new())?;
/// let written = producer.publish(&OrderPlaced { order_id: "o-1".into() }).await?;
/// println!("partition {}, offset {}", written.partition, written.offset);
///
/// let orders = (0..1000).map(|n| OrderPlaced { order_id: format!("o-{n}") });
/// producer.publish_all(orders).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Producer {
    link: Arc<Link>,
    replies: Arc<Replies>,
    origin: Origin,
    address: Arc<str>,
}

impl Producer {
    /// A producer whose events say that they come from `source`: the name of the publishing service.
    ///
    /// # Errors
    ///
    /// All faults of the options at once, or what keeps the client from starting. The cluster is not asked yet.
    pub fn connect(source: impl Into<String>, client: ClientOptions) -> Result<Self, KafkaError> {
        Self::builder(source).client(client).connect()
    }

    /// The same with more to choose.
    pub fn builder(source: impl Into<String>) -> ProducerBuilder {
        ProducerBuilder::new(source.into())
    }

    /// Publishes an event and waits until the broker has it. Awaited one by one this is slow, since each waits for an
    /// answer; for many use [`publish_all`](Self::publish_all) or [`enqueue`](Self::enqueue).
    ///
    /// # Errors
    ///
    /// [`PublishFailed`] says whether the event may have been written.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the event may or may not be written.
    pub async fn publish<E: Fact>(&self, event: &E) -> Result<Written, PublishFailed> {
        self.enqueue(event).await?.await
    }

    /// Enqueues an event once there is room. The receipt tells when the broker has it.
    ///
    /// # Delivery
    ///
    /// Events that one task enqueues one after the other are written in that order if they have the same key.
    ///
    /// # Errors
    ///
    /// The event cannot be encoded, or was not enqueued; it was not written.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it is ready, the event is not enqueued.
    pub async fn enqueue<E: Fact>(&self, event: &E) -> Result<Receipt, PublishFailed> {
        self.enqueue_under(event, None).await
    }

    /// Publishes an event under an id of the caller's, and waits as [`publish`](Self::publish) does: for a publish that may
    /// have to be made again, also by another process.
    ///
    /// # Delivery
    ///
    /// Who publishes again after an error that [may have been written](PublishFailed::may_be_written), or after a crash,
    /// under the same id with the same source, writes the record perhaps twice, but handlers tell the copies apart: each
    /// runs once, as long as both are within its window of duplicates (D3). Two different events must not share an id, or
    /// the second is not handled. [`edge_id`](events_core::edge_id) makes a fresh one.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); an empty id is refused.
    ///
    /// # Cancel safety
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use events_kafka::{edge_id, event, Producer};
    ///
    /// /// An order was accepted.
    /// #[event(topic = "orders", key = order_id)]
    /// pub struct OrderPlaced { pub order_id: String }
    ///
    /// # async fn example(producer: Producer, order: OrderPlaced) -> events_kafka::Result<()> {
    /// let id = edge_id().to_string();
    /// let mut published = producer.publish_with_id(&order, &id).await;
    /// if published.as_ref().is_err_and(|failed| failed.may_be_written()) {
    ///     published = producer.publish_with_id(&order, &id).await;
    /// }
    /// published?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn publish_with_id<E: Fact>(
        &self,
        event: &E,
        id: &str,
    ) -> Result<Written, PublishFailed> {
        self.enqueue_with_id(event, id).await?.await
    }

    /// [`enqueue`](Self::enqueue) under an id of the caller's; see [`publish_with_id`](Self::publish_with_id).
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue); an empty id is refused.
    ///
    /// # Cancel safety
    ///
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_with_id<E: Fact>(
        &self,
        event: &E,
        id: &str,
    ) -> Result<Receipt, PublishFailed> {
        self.enqueue_named(event, id).await
    }

    async fn enqueue_named<E: Event>(&self, event: &E, id: &str) -> Result<Receipt, PublishFailed> {
        if id.is_empty() {
            let event = E::DESCRIPTOR.name;
            return Err(PublishFailed::NoId { event });
        }
        self.enqueue_under(event, Some(id)).await
    }

    async fn enqueue_under<E: Event>(
        &self,
        event: &E,
        id: Option<&str>,
    ) -> Result<Receipt, PublishFailed> {
        let name = E::DESCRIPTOR.name;
        let record = Stamp::default().record(&self.origin, event, id);
        let record = record.map_err(|source| PublishFailed::Encode {
            event: name,
            source,
        })?;
        self.enqueue_record(name, &record).await
    }

    /// Publishes an event that is encoded already.
    pub(crate) async fn publish_encoded(
        &self,
        event: Emitted<'_>,
    ) -> Result<Written, PublishFailed> {
        let record = self.origin.record(event, &time_now(), None);
        self.enqueue_record(event.event.name, &record).await?.await
    }

    pub(crate) async fn enqueue_record(
        &self,
        event: &'static str,
        record: &Outgoing,
    ) -> Result<Receipt, PublishFailed> {
        let deliveries = &self.link.deliveries;
        let permit = self
            .link
            .room(self.cost(record))
            .await
            .ok_or(PublishFailed::Closed { event })?;
        let (tag, answer) = deliveries.expect_one();
        if let Err(source) = self.link.send(record, tag) {
            deliveries.forget(tag);
            let source = naming(source, &record.topic);
            return Err(PublishFailed::Rejected { event, source });
        }
        permit.forget();
        Ok(Receipt::new(event, answer))
    }

    /// Publishes many events of one type, pipelined, and waits once for all of them. Answers how many there were.
    ///
    /// It takes events by value or by reference; for references say the type: `publish_all::<OrderPlaced>(&orders)`.
    ///
    /// # Delivery
    ///
    /// Events with the same key are written in their order, those around a failed one too.
    ///
    /// # Errors
    ///
    /// [`PublishAllFailed`] lists the events that failed; all others are written.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the events taken so far may or may not be written.
    pub async fn publish_all<E: Fact>(
        &self,
        events: impl IntoIterator<Item: Borrow<E>>,
    ) -> Result<usize, PublishAllFailed> {
        let mut all = PublishAllFailed {
            failures: Vec::new(),
            written: 0,
            stopped_at: None,
        };
        let mut events = events.into_iter();
        let mut stamp = Stamp::default();
        while self.publish_batch(&mut events, &mut stamp, &mut all).await {}
        all.failures.sort_by_key(|(index, _)| *index);
        if all.failures.is_empty() && all.stopped_at.is_none() {
            return Ok(all.written);
        }
        Err(all)
    }

    fn cost(&self, record: &Outgoing) -> u32 {
        let (key, value) = (
            record.key().map_or(0, <[u8]>::len),
            record.value().map_or(0, <[u8]>::len),
        );
        self.link.deliveries.cost(key, value)
    }

    /// The same producer for events of a flow that exists already.
    pub fn correlated(&self, correlation_id: impl Into<String>) -> Self {
        let correlation_id = Some(correlation_id.into().into());
        self.with(|origin| origin.correlation_id = correlation_id)
    }

    /// The same producer for events within a W3C trace.
    pub fn traced(&self, trace_parent: impl Into<String>, trace_state: Option<&str>) -> Self {
        let trace_parent = Some(trace_parent.into().into());
        self.with(|origin| {
            origin.trace_parent = trace_parent;
            origin.trace_state = trace_state.map(Into::into);
        })
    }

    /// The same producer with one more header on each event.
    pub fn with_header(&self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let header = (name.into(), value.into());
        self.with(|origin| {
            origin.headers = origin.headers.iter().cloned().chain([header]).collect()
        })
    }

    fn with(&self, change: impl FnOnce(&mut Origin)) -> Self {
        let mut other = self.clone();
        change(&mut other.origin);
        other
    }

    /// Where the cluster is: also the way for other programs to an embedded one.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Closes the producer and all its clones: takes no more events, waits until what is enqueued is written, at most
    /// for `deadline`, and answers how many events are not. Their receipts say so too.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the producer takes no more events, and what is enqueued goes on.
    pub async fn close(&self, deadline: Duration) -> usize {
        self.link.close(deadline).await
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("source", &self.origin.source)
            .finish_non_exhaustive()
    }
}
