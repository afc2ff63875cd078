//! The embedded cluster: librdkafka's own mock broker, for demos and quick tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::error::KafkaError;
use crate::{client_log, ffi};

/// Partitions of a topic that nobody asked more or fewer for; also what the broker gives a topic that it makes itself.
pub(crate) const PARTITIONS: i32 = 4;

/// What the cluster cannot do, for the start line.
pub(crate) const LIMITS: &str = "embedded cluster for demos and tests: no transactions, no admin API, keeps 5 MiB or 100,000 batches per partition, nothing survives this process; failed keys are dead-lettered instead of parked, unless `.park_on_embedded()` asks for it";

/// The embedded cluster of this process: for tests that need topics with a number of partitions of their own, or that
/// start processes of their own. It ends with the process.
///
/// # Examples
///
/// ```
/// use events_kafka::Embedded;
///
/// let cluster = Embedded::shared()?;
/// cluster.create_topics(["orders"], 2)?;
/// println!("KAFKA_BOOTSTRAP_SERVERS={}", cluster.address());
/// # Ok::<(), events_kafka::KafkaError>(())
/// ```
pub struct Embedded {
    /// Carries the broker; sends nothing itself.
    carrier: BaseProducer<Quiet>,
    address: String,
    /// Partitions of each topic that was made here.
    topics: Mutex<BTreeMap<String, i32>>,
}

impl Embedded {
    /// The cluster, started by whoever asks first.
    ///
    /// # Errors
    ///
    /// It cannot start.
    pub fn shared() -> Result<&'static Self, KafkaError> {
        static SHARED: OnceLock<Embedded> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        // Without the lock two callers would start two clusters, and one of them would be dropped with its address in use.
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        let started = Self::start()?;
        Ok(SHARED.get_or_init(|| started))
    }

    fn start() -> Result<Self, KafkaError> {
        let failed = |error: ClientError| KafkaError::Embedded {
            reason: error.to_string(),
        };
        let config =
            ClientConfig::from_iter([("test.mock.num.brokers".to_owned(), "1".to_owned())]);
        let carrier = BaseProducer::from_config_and_context(&config, Quiet).map_err(failed)?;
        ffi::without_rebalance_delay(carrier.client());
        let address = match carrier.client().mock_cluster() {
            Some(cluster) => cluster.bootstrap_servers(),
            None => {
                let reason = "this build of librdkafka has none".to_owned();
                return Err(KafkaError::Embedded { reason });
            }
        };
        Ok(Self {
            carrier,
            address,
            topics: Mutex::default(),
        })
    }

    /// Where clients find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes the topics that do not exist yet, and answers their names.
    ///
    /// # Errors
    ///
    /// The cluster refuses a name or a number of partitions.
    pub fn create_topics<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        partitions: i32,
    ) -> Result<Vec<String>, KafkaError> {
        let mut known = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let mut created = Vec::new();
        for name in names {
            if known.contains_key(name) {
                continue;
            }
            let Some(cluster) = self.carrier.client().mock_cluster() else {
                continue;
            };
            match cluster.create_topic(name, partitions, 1) {
                Ok(()) => created.push(name.to_owned()),
                // A client that published before has made it.
                Err(ClientError::MockCluster(RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err(error) => {
                    let reason = format!("topic `{name}`: {error}");
                    return Err(KafkaError::Embedded { reason });
                }
            }
            known.insert(name.to_owned(), partitions);
        }
        Ok(created)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The broker's own client has nothing to say that a user could act on.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if matches!(
            level,
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical
        ) {
            client_log::log(level, facility, message);
        }
    }

    fn error(&self, error: ClientError, reason: &str) {
        tracing::debug!(%error, reason, "the embedded cluster's own client");
    }
}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_cluster_and_each_topic_is_made_once() {
        let (one, other) = (Embedded::shared().unwrap(), Embedded::shared().unwrap());
        assert_eq!(one.address(), other.address());
        assert_eq!(
            one.create_topics(["embedded-a", "embedded-b"], 2).unwrap(),
            ["embedded-a", "embedded-b"]
        );
        assert_eq!(
            other
                .create_topics(["embedded-b", "embedded-c"], 2)
                .unwrap(),
            ["embedded-c"]
        );
    }
}
