//! What a real cluster says of its topics, and how topics are made there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use super::MAX_BYTES;
use crate::client_log;
use crate::error::KafkaError;
use crate::options::ClientOptions;

/// How long the cluster may take for one answer.
const ANSWER: Duration = Duration::from_secs(15);
/// How often a new topic is looked for, and how many times.
const LOOK: (Duration, u32) = (Duration::from_millis(50), 200);

/// A real cluster.
pub(crate) struct Catalog {
    admin: Arc<AdminClient<Logged>>,
    address: String,
}

/// The topics that exist.
pub(crate) struct Existing {
    /// Partitions of each topic; 0 while one of them has no leader.
    pub(crate) partitions: BTreeMap<String, usize>,
    pub(crate) brokers: usize,
}

impl Catalog {
    pub(crate) fn connect(client: &ClientOptions) -> Result<Self, KafkaError> {
        let admin = AdminClient::from_config_and_context(&client.admin(), Logged);
        let admin = admin.map_err(|error| KafkaError::client("admin client", &error))?;
        let address = client.address().unwrap_or_default().to_owned();
        Ok(Self {
            admin: Arc::new(admin),
            address,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// All topics. Asking for one by its name could make it.
    pub(crate) async fn existing(&self) -> Result<Existing, KafkaError> {
        let admin = Arc::clone(&self.admin);
        let asked =
            tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, ANSWER)).await;
        // The closure does not panic, and a runtime that shuts down cancels this future too.
        let asked = asked.unwrap_or(Err(ClientError::Canceled));
        let metadata =
            asked.map_err(|error| KafkaError::cluster(&self.address, "list its topics", &error))?;
        let topics = metadata.topics().iter().map(|topic| {
            let led = topic
                .partitions()
                .iter()
                .all(|partition| partition.leader() >= 0);
            (
                topic.name().to_owned(),
                if led { topic.partitions().len() } else { 0 },
            )
        });
        Ok(Existing {
            partitions: topics.collect(),
            brokers: metadata.brokers().len(),
        })
    }

    /// Whether it is the embedded cluster of another process, which has no admin API: a request would only time out.
    async fn is_embedded(&self) -> bool {
        let admin = Arc::clone(&self.admin);
        let asked =
            tokio::task::spawn_blocking(move || admin.inner().fetch_cluster_id(ANSWER)).await;
        // Real clusters have ids of 22 characters, drawn at random.
        asked
            .ok()
            .flatten()
            .is_some_and(|id| id.starts_with("mockCluster"))
    }

    /// The largest record of each topic in bytes, as far as this user may know it.
    pub(crate) async fn record_limits(&self, topics: &[&str]) -> BTreeMap<String, usize> {
        if topics.is_empty() || self.is_embedded().await {
            return BTreeMap::new();
        }
        let specifiers: Vec<_> = topics
            .iter()
            .map(|topic| ResourceSpecifier::Topic(topic))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        let described = self.admin.describe_configs(&specifiers, &options).await;
        let described = described.unwrap_or_else(|error| {
            tracing::warn!(%error, "the settings of the topics cannot be read, so their largest records are not checked");
            Vec::new()
        });
        let mut limits = BTreeMap::new();
        for resource in described {
            match resource {
                Ok(resource) => {
                    let bytes = resource
                        .get(MAX_BYTES)
                        .and_then(|entry| entry.value.as_ref()?.parse().ok());
                    if let (OwnedResourceSpecifier::Topic(topic), Some(bytes)) =
                        (resource.specifier, bytes)
                    {
                        limits.insert(topic, bytes);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the settings of a topic cannot be read, so its largest record is not checked");
                }
            }
        }
        limits
    }

    /// Makes topics (name, partitions, largest record) and waits until all of them have leaders.
    pub(crate) async fn create(
        &self,
        topics: &[(String, i32, Option<usize>)],
        replication: i32,
    ) -> Result<(), KafkaError> {
        let limits: Vec<_> = topics
            .iter()
            .map(|(_, _, bytes)| bytes.map(|bytes| bytes.to_string()))
            .collect();
        let new: Vec<_> = topics
            .iter()
            .zip(&limits)
            .map(|((name, partitions, _), limit)| {
                let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(replication));
                match limit {
                    Some(limit) => topic.set(MAX_BYTES, limit),
                    None => topic,
                }
            })
            .collect();
        let options = AdminOptions::new()
            .operation_timeout(Some(ANSWER))
            .request_timeout(Some(ANSWER));
        let failed = |error: &ClientError| {
            KafkaError::cluster(&self.address, "create the missing topics", error)
        };
        let created = self
            .admin
            .create_topics(&new, &options)
            .await
            .map_err(|error| failed(&error))?;
        for outcome in created {
            match outcome {
                // Another service has just made it.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(failed(&ClientError::AdminOp(code))),
            }
        }
        let (pause, times) = LOOK;
        for _ in 0..times {
            let existing = self.existing().await?;
            if topics.iter().all(|(name, ..)| {
                existing
                    .partitions
                    .get(name)
                    .is_some_and(|partitions| *partitions > 0)
            }) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        Err(failed(&ClientError::AdminOp(
            RDKafkaErrorCode::LeaderNotAvailable,
        )))
    }
}

struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        tracing::warn!(%error, reason, "the admin client reports an error");
    }
}
