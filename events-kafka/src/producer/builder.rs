//! A producer before it is connected.

use std::fmt;
use std::sync::Arc;

use events_core::{Fault, Middleware};

use super::Producer;
use super::link::Link;
use super::replies::Replies;
use super::stamp::Origin;
use crate::error::KafkaError;
use crate::options::ClientOptions;

/// Bytes under way unless the builder says otherwise.
const IN_FLIGHT: usize = 64 << 20;
/// Requests that wait for replies at once, unless the builder says otherwise.
const REQUESTS: usize = 1000;

/// A producer before it is connected.
#[must_use = "a builder does nothing until it is connected"]
pub struct ProducerBuilder {
    source: String,
    client: ClientOptions,
    layers: Vec<Arc<dyn Middleware>>,
    in_flight: usize,
    requests: usize,
}

impl ProducerBuilder {
    pub(super) fn new(source: String) -> Self {
        Self {
            source,
            client: ClientOptions::new(),
            layers: Vec::new(),
            in_flight: IN_FLIGHT,
            requests: REQUESTS,
        }
    }

    /// Replaces the options of the Kafka client.
    pub fn client(mut self, options: ClientOptions) -> Self {
        self.client = options;
        self
    }

    /// Adds a layer whose [`on_publish`](Middleware::on_publish) sees every event: the place for custom headers.
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// The most bytes of keys and values, with 1 KiB for each event, that are enqueued and not acknowledged. Default
    /// 64 MiB. Publishing waits for room.
    pub fn max_in_flight(mut self, bytes: usize) -> Self {
        self.in_flight = bytes;
        self
    }

    /// The most [requests](super::Sender::request) that wait for their replies at once. Default 1000. One more is an error.
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.requests = requests;
        self
    }

    /// Starts the client. The cluster is not asked yet.
    ///
    /// # Errors
    ///
    /// All faults of the options at once, or what keeps the client from starting.
    pub fn connect(self) -> Result<Producer, KafkaError> {
        let mut faults = self.client.faults();
        if self.source.is_empty() {
            faults.push(Fault::new(
                "no-source",
                "the producer has no source",
                "name the publishing service",
            ));
        }
        KafkaError::unless_empty(&self.source, faults)?;
        let client = self.client.named(&self.source).located()?;
        let link = Link::start(client.edge_producer(), self.in_flight)?;
        let origin = Origin {
            source: self.source.into(),
            correlation_id: None,
            trace_parent: None,
            trace_state: None,
            headers: Arc::new([]),
            layers: self.layers.into(),
        };
        let address = client.address().unwrap_or_default().into();
        Ok(Producer {
            link: Arc::new(link),
            replies: Replies::new(client, self.requests),
            origin,
            address,
        })
    }
}

impl fmt::Debug for ProducerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducerBuilder")
            .field("source", &self.source)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
