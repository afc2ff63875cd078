//! What a real cluster says of its topics, and how topics are made there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use events_runtime::TopicPartition;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::groups::{ANY_GROUP, Groups};
use super::{CLEANUP, MAX_BYTES, RETENTION, RETENTION_BYTES};
use crate::aside::aside;
use crate::client_log;
use crate::error::KafkaError;
use crate::ffi;
use crate::options::ClientOptions;
use crate::rights::Resource;

/// How long the cluster may take for one answer.
pub(super) const ANSWER: Duration = Duration::from_secs(15);
/// How long it may take to tell what this user may do: old clusters have no answer.
const RIGHTS: Duration = Duration::from_secs(5);
/// How long it may take to tell which groups read what.
const GROUPS: Duration = Duration::from_secs(10);
/// How often a new topic is looked for, and how many times.
const LOOK: (Duration, u32) = (Duration::from_millis(50), 200);

/// A real cluster.
pub(crate) struct Catalog {
    pub(super) admin: Arc<AdminClient<Logged>>,
    address: String,
}

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Making {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    /// Settings that differ from the cluster's.
    pub(crate) settings: BTreeMap<&'static str, String>,
}

/// What is asked of a topic's settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TopicSettings {
    /// The largest record in bytes.
    pub(crate) max_bytes: Option<usize>,
    /// How long records are kept, in milliseconds; -1 for ever.
    pub(crate) retention: Option<i64>,
    /// How many bytes each partition keeps; -1 for all.
    pub(crate) retention_bytes: Option<i64>,
    /// Whether records go that a later one of their key replaces.
    pub(crate) compacted: Option<bool>,
}

/// The topics that exist.
pub(crate) struct Existing {
    /// Partitions of each topic.
    pub(crate) partitions: BTreeMap<String, usize>,
    /// Those without a leader, of topics that have such.
    pub(crate) leaderless: BTreeMap<String, Vec<i32>>,
    pub(crate) brokers: usize,
}

impl Existing {
    /// Whether the topic has these partitions, and all from the first of them on have leaders.
    fn has_led(&self, topic: &str, new: &Range<usize>) -> bool {
        let without = self.leaderless.get(topic).into_iter().flatten();
        let mut without = without.filter_map(|partition| usize::try_from(*partition).ok());
        let count = self.partitions.get(topic);
        count.is_some_and(|count| *count >= new.end)
            && without.all(|partition| partition < new.start)
    }
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

    /// Lets go of the cluster. The client's thread looks only every 100 ms whether it may end, and dropping the client waits
    /// for it: a start need not. It does nothing else, and the runtime waits for it before it ends.
    pub(crate) fn close(self) {
        tokio::task::spawn_blocking(move || drop(self));
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// All topics. Asking for one by its name could make it.
    pub(crate) async fn existing(&self) -> Result<Existing, KafkaError> {
        let admin = Arc::clone(&self.admin);
        let asked = aside(move || admin.inner().fetch_metadata(None, ANSWER)).await;
        let asked = asked.unwrap_or(Err(ClientError::Canceled));
        let metadata =
            asked.map_err(|error| KafkaError::cluster(&self.address, "list its topics", &error))?;
        let (mut partitions, mut leaderless) = (BTreeMap::new(), BTreeMap::new());
        for topic in metadata.topics() {
            let name = topic.name().to_owned();
            let all = topic.partitions();
            let without = all.iter().filter(|partition| partition.leader() < 0);
            let without: Vec<_> = without.map(|partition| partition.id()).collect();
            if !without.is_empty() {
                leaderless.insert(name.clone(), without);
            }
            partitions.insert(name, all.len());
        }
        Ok(Existing {
            partitions,
            leaderless,
            brokers: metadata.brokers().len(),
        })
    }

    /// Whether it is the embedded cluster of another process, which has no admin API: a request would only time out.
    pub(crate) async fn is_embedded(&self) -> bool {
        let admin = Arc::clone(&self.admin);
        let asked = aside(move || admin.inner().fetch_cluster_id(ANSWER)).await;
        // Real clusters have ids of 22 characters, drawn at random.
        asked
            .flatten()
            .is_some_and(|id| id.starts_with("mockCluster"))
    }

    /// What this user may do with each of these, as far as the cluster tells.
    pub(crate) async fn authorized(&self, resource: Resource, names: Vec<String>) -> ffi::Answer {
        if names.is_empty() || self.is_embedded().await {
            return Ok(BTreeMap::new());
        }
        let admin = Arc::clone(&self.admin);
        let asked = aside(move || {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            match resource {
                Resource::Group => ffi::authorized_on_groups(admin.inner(), &names, RIGHTS),
                Resource::Topic => ffi::authorized_on_topics(admin.inner(), &names, RIGHTS),
            }
        });
        // As for `existing`.
        asked
            .await
            .unwrap_or(Err(RDKafkaErrorCode::OperationTimedOut))
    }

    /// Which groups read which topics, but for those of `known`.
    pub(crate) async fn groups(&self, known: BTreeSet<String>) -> Result<Groups, RDKafkaErrorCode> {
        let admin = Arc::clone(&self.admin);
        let asked = aside(move || {
            let (client, until) = (admin.inner(), Instant::now() + GROUPS);
            let (mut listed, failed) = ffi::groups(client, GROUPS)?;
            listed.retain(|group| !known.contains(group));
            let names: Vec<_> = listed.iter().map(String::as_str).collect();
            let any = ffi::assigned(client, &[ANY_GROUP], until);
            let assigned = ffi::assigned(client, &names, until);
            let committed = ffi::committed(client, &names, until);
            Ok(Groups::of(
                &names,
                &any,
                &assigned,
                &committed,
                failed.is_some(),
            ))
        });
        // As for `existing`.
        asked
            .await
            .unwrap_or(Err(RDKafkaErrorCode::OperationTimedOut))
    }

    /// The settings of each topic, as far as this user may know them.
    pub(crate) async fn settings(&self, topics: &[&str]) -> BTreeMap<String, TopicSettings> {
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
            tracing::warn!(%error, "the settings of the topics cannot be read, so they are not checked");
            Vec::new()
        });
        let mut settings = BTreeMap::new();
        for resource in described {
            match resource {
                Ok(resource) => {
                    let value = |name| resource.get(name)?.value.as_deref();
                    let found = TopicSettings {
                        max_bytes: value(MAX_BYTES).and_then(|bytes| bytes.parse().ok()),
                        retention: value(RETENTION).and_then(|millis| millis.parse().ok()),
                        retention_bytes: value(RETENTION_BYTES)
                            .and_then(|bytes| bytes.parse().ok()),
                        compacted: value(CLEANUP).map(|policy| policy.contains("compact")),
                    };
                    if let OwnedResourceSpecifier::Topic(topic) = resource.specifier {
                        settings.insert(topic, found);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the settings of a topic cannot be read, so they are not checked");
                }
            }
        }
        settings
    }

    /// Makes topics and waits until all of them have leaders. Says whether somebody else had just made one of them.
    pub(crate) async fn create(
        &self,
        topics: &[Making],
        replication: i32,
    ) -> Result<bool, KafkaError> {
        let new: Vec<_> = topics
            .iter()
            .map(|making| {
                let replication = TopicReplication::Fixed(replication);
                let topic = NewTopic::new(&making.name, making.partitions, replication);
                let settings = making.settings.iter();
                settings.fold(topic, |topic, (name, value)| topic.set(name, value))
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
        let mut known = false;
        for outcome in created {
            match outcome {
                Ok(_) => {}
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => known = true,
                Err((topic, code)) => return Err(self.refused(code, "create", &topic, "Create")),
            }
        }
        let counts: Vec<_> = topics.iter().map(|making| (&*making.name, 0..1)).collect();
        self.led(&counts, failed).await?;
        Ok(known)
    }

    /// Gives topics that many partitions, and waits until the new ones have leaders. One that had none before need not get one.
    pub(crate) async fn grow(&self, topics: &[(String, usize)]) -> Result<(), KafkaError> {
        let before = self.existing().await?.partitions;
        let new = topics
            .iter()
            .map(|(name, partitions)| NewPartitions::new(name, *partitions));
        let new: Vec<_> = new.collect();
        let options = AdminOptions::new()
            .operation_timeout(Some(ANSWER))
            .request_timeout(Some(ANSWER));
        let failed = |error: &ClientError| {
            KafkaError::cluster(&self.address, "add partitions to parked topics", error)
        };
        let grown = self.admin.create_partitions(&new, &options).await;
        for outcome in grown.map_err(|error| failed(&error))? {
            match outcome {
                // Another member has just done it.
                Ok(_) | Err((_, RDKafkaErrorCode::InvalidPartitions)) => {}
                Err((topic, code)) => {
                    return Err(self.refused(code, "add partitions to", &topic, "Alter"));
                }
            }
        }
        let counts: Vec<_> = topics
            .iter()
            .map(|(name, count)| {
                let known = before.get(name).copied().unwrap_or(0);
                (&**name, known..*count)
            })
            .collect();
        self.led(&counts, failed).await
    }

    /// Deletes the records of a log below an offset.
    pub(crate) async fn trim(&self, log: &TopicPartition, below: i64) -> Result<(), KafkaError> {
        let failed =
            |error: &ClientError| KafkaError::cluster(&self.address, "delete records", error);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&log.topic, log.partition, Offset::Offset(below))
            .map_err(|error| failed(&error))?;
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        let deleted = self.admin.delete_records(&list, &options).await;
        let deleted = deleted.map_err(|error| failed(&error))?;
        let outcome = deleted.elements().iter().try_for_each(|log| log.error());
        outcome.map_err(|error| failed(&error))
    }

    /// The cluster did not do something with a topic, for which this user needs the right to `operation`.
    fn refused(
        &self,
        code: RDKafkaErrorCode,
        action: &'static str,
        topic: &str,
        operation: &str,
    ) -> KafkaError {
        let mut error = KafkaError::cluster(&self.address, action, &ClientError::AdminOp(code));
        if let KafkaError::Cluster { reason, .. } = &mut error {
            *reason = match code {
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed => format!(
                    "the topic `{topic}`: this user lacks the right to {operation} it, which `check --acls` prints: {reason}"
                ),
                _ => format!("the topic `{topic}`: {reason}"),
            };
        }
        error
    }

    /// Waits until the topics have these partitions, and all from the first of them on have leaders.
    async fn led(
        &self,
        topics: &[(&str, Range<usize>)],
        failed: impl Fn(&ClientError) -> KafkaError,
    ) -> Result<(), KafkaError> {
        let (pause, times) = LOOK;
        for _ in 0..times {
            let existing = self.existing().await?;
            let led = |(name, new): &(&str, Range<usize>)| existing.has_led(name, new);
            if topics.iter().all(led) {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
        let code = RDKafkaErrorCode::LeaderNotAvailable;
        Err(failed(&ClientError::AdminOp(code)))
    }
}

pub(super) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client_log::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::report("admin client", &error, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_are_new_are_waited_for_and_no_others() {
        let existing = Existing {
            partitions: BTreeMap::from([("orders".to_owned(), 4)]),
            leaderless: BTreeMap::from([("orders".to_owned(), vec![1])]),
            brokers: 2,
        };
        assert!(existing.has_led("orders", &(2..4)), "1 had none before");
        assert!(!existing.has_led("orders", &(0..4)), "1 is new");
        assert!(!existing.has_led("orders", &(2..5)), "there is no 4 yet");
        assert!(!existing.has_led("parcels", &(0..1)));
    }
}
