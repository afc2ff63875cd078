//! Sending commands from the edge.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use events_core::{Command, Event, Request, decode, edge_id};
use events_runtime::Written;
use tokio::time::timeout_at;

use super::failure::PublishFailed;
use super::receipt::Receipt;
use super::replies::{Reply, RequestFailed};
use super::{Producer, Stamp};
use crate::patience::bounded;

/// How long a request waits unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one type of command from outside of handlers; made by [`Producer::sender`].
///
/// # Delivery
///
/// That of [`Producer`]: a command is written at least once when sending it succeeds, errors say whether it may have been
/// written, and what is under way is bounded.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use events_kafka::{command, event, Producer};
///
/// /// Whether stock was set aside.
/// #[event(topic = "inventory", key = order_id)]
/// pub struct StockReply { pub order_id: String, pub reserved: bool }
///
/// /// Sets stock aside for an order.
/// #[command(owner = "inventory", key = order_id, reply = StockReply)]
/// pub struct ReserveStock { pub order_id: String }
///
/// # async fn example(producer: Producer) -> events_kafka::Result<()> {
/// let sender = producer.sender::<ReserveStock>();
/// sender.send(&ReserveStock { order_id: "o-1".into() }).await?;
///
/// let asked = ReserveStock { order_id: "o-2".into() };
/// let reply = sender.within(Duration::from_secs(2)).request(&asked).await?;
/// println!("reserved: {}", reply.reserved);
/// # Ok(())
/// # }
/// ```
pub struct Sender<C> {
    producer: Producer,
    patience: Duration,
    command: PhantomData<fn(&C)>,
}

impl Producer {
    /// Sends commands of one type to their owner.
    pub fn sender<C: Command>(&self) -> Sender<C> {
        Sender {
            producer: self.clone(),
            patience: PATIENCE,
            command: PhantomData,
        }
    }

    /// Replies that came after their request had been given up, so far.
    pub fn late_replies(&self) -> u64 {
        self.replies.late()
    }
}

impl<C: Command> Sender<C> {
    /// How long [`request`](Self::request) waits, from its call to the reply; 10 s unless this says otherwise.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends a command and waits until the broker has it, not until it is carried out.
    ///
    /// # Errors
    ///
    /// [`PublishFailed`] says whether the command may have been written.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the command may or may not be written.
    pub async fn send(&self, command: &C) -> Result<Written, PublishFailed> {
        self.enqueue(command).await?.await
    }

    /// Enqueues a command once there is room, as [`Producer::enqueue`] does an event.
    ///
    /// # Errors
    ///
    /// The command cannot be encoded, or was not enqueued; it was not written.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it is ready, the command is not enqueued.
    pub async fn enqueue(&self, command: &C) -> Result<Receipt, PublishFailed> {
        self.producer.enqueue_under(command, None).await
    }

    /// Sends a command under an id of the caller's, as [`Producer::publish_with_id`] does an event: for a send that may
    /// have to be made again.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); an empty id is refused.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn send_with_id(&self, command: &C, id: &str) -> Result<Written, PublishFailed> {
        self.producer.enqueue_named(command, id).await?.await
    }
}

impl<C: Request> Sender<C> {
    /// Sends a command and waits for its reply: for edges that must answer at once, such as a browser. Where nobody waits,
    /// [`send`](Self::send) and handle the reply as any event.
    ///
    /// # Delivery
    ///
    /// At most one reply is seen: the first event of the reply's type that the command caused, directly or, where the
    /// command began its flow, further down. It is read without a consumer group, from where the reply's topic ended before
    /// the command was sent, so none is missed; it commits nothing, and other readers of the event are not touched. A
    /// request that fails or is given up undoes nothing: a command that was sent is carried out. A request made again is
    /// another command, so the owner's handler must recognize it by its content.
    ///
    /// All requests of a producer and its clones share one reader, which is started with the first one, reads the reply
    /// topics whole, and ends after a minute without requests. As many may wait at once as
    /// [`max_requests`](super::ProducerBuilder::max_requests) allows. The user needs the right to read the reply's topic. A
    /// partition that the reply's topic gets while the reader runs is read from the reader's next start on.
    ///
    /// # Errors
    ///
    /// [`RequestFailed`] says what was waited for, and whether the command may be carried out.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the command may or may not be sent; its reply is ignored and counted as
    /// [late](Producer::late_replies).
    pub async fn request(&self, command: &C) -> Result<C::Reply, RequestFailed> {
        let (asked, reply) = (C::DESCRIPTOR, <C::Reply as Event>::DESCRIPTOR);
        let until = tokio::time::Instant::now() + bounded(self.patience);
        let producer = &self.producer;
        let id = edge_id().to_string();
        let mut waiting = producer.replies.expect(asked, reply, &id)?;
        let timed_out = |sent| RequestFailed::TimedOut {
            command: asked.name,
            reply: reply.name,
            owner: asked.owner.unwrap_or_default(),
            waited: self.patience,
            sent,
        };
        timeout_at(until, producer.replies.listen(asked, reply))
            .await
            .map_err(|_| timed_out(false))??;
        let record = Stamp::default().record(&producer.origin, command, Some(&id));
        let record = record.map_err(|source| PublishFailed::Encode {
            event: asked.name,
            source,
        })?;
        let enqueued = producer.enqueue_record(asked.name, &record);
        let written = timeout_at(until, enqueued)
            .await
            .map_err(|_| timed_out(false))??;
        let answered = async {
            tokio::pin!(written);
            let mut acknowledged = false;
            loop {
                tokio::select! {
                    // A reply proves that the command was written, whatever became of the acknowledgement.
                    biased;
                    reply = waiting.reply() => return reply,
                    done = &mut written, if !acknowledged => {
                        done?;
                        acknowledged = true;
                    }
                }
            }
        };
        let answer = timeout_at(until, answered)
            .await
            .map_err(|_| timed_out(true))??;
        let Reply { value, version } = answer;
        decode::<C::Reply>(value.as_deref(), version).map_err(|source| RequestFailed::Unreadable {
            command: asked.name,
            source,
        })
    }
}

impl<C> Clone for Sender<C> {
    fn clone(&self) -> Self {
        Self {
            producer: self.producer.clone(),
            patience: self.patience,
            command: PhantomData,
        }
    }
}

impl<C: Event> fmt::Debug for Sender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("command", &C::DESCRIPTOR.name)
            .finish_non_exhaustive()
    }
}
