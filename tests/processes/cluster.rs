//! The cluster that the tests of this process run on, and its topics.

use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use events_kafka::Embedded;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::{Builder, Runtime};

use crate::wait::{holds, until};

/// The variable that names a real cluster.
const ADDRESS: &str = "KAFKA_BOOTSTRAP_SERVERS";
/// How long the cluster may take for one answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(20);

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::find);
/// Drives the admin client's futures.
static TOKIO: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without threads starts")
});

/// The cluster of all tests of this process.
pub(crate) struct Cluster {
    address: String,
    /// The cluster of this process, where no real one is named.
    embedded: Option<&'static Embedded>,
}

impl Cluster {
    pub(crate) fn shared() -> &'static Self {
        &CLUSTER
    }

    /// The real cluster. Without one says which test is not run and how it is.
    pub(crate) fn real(test: &str, why: &str) -> Option<&'static Self> {
        let cluster = Self::shared();
        if cluster.embedded.is_some() {
            say(&format!(
                "NOT RUN: {test}: the embedded cluster has no {why}; `cargo xtask test --only kafka` runs it on Apache Kafka"
            ));
        }
        cluster.embedded.is_none().then_some(cluster)
    }

    fn find() -> Self {
        let given = env::var(ADDRESS)
            .ok()
            .filter(|address| !address.trim().is_empty());
        match given {
            Some(address) => {
                say(&format!("on the cluster at {address}"));
                Self {
                    address,
                    embedded: None,
                }
            }
            None => {
                say(
                    "on an embedded cluster; `cargo xtask test --only kafka` runs the same on Apache Kafka",
                );
                let embedded = Embedded::shared().expect("the embedded cluster starts");
                Self {
                    address: embedded.address().to_owned(),
                    embedded: Some(embedded),
                }
            }
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    /// Makes topics anew, without a record, and forgets the groups.
    pub(crate) fn reset(&self, topics: &[(String, i32)], groups: &[&str]) {
        if let Some(embedded) = self.embedded {
            // The cluster is as old as this process, and a topic belongs to one test.
            for (topic, partitions) in topics {
                let made = embedded.create_topics([topic.as_str()], *partitions);
                made.expect("a new topic can be made");
            }
            return;
        }
        let admin = self.admin();
        let names: Vec<&str> = topics.iter().map(|(name, _)| name.as_str()).collect();
        let deleted = TOKIO
            .block_on(admin.delete_topics(&names, &options()))
            .expect("the cluster answers");
        for outcome in deleted {
            if let Err((topic, code)) = outcome
                && code != RDKafkaErrorCode::UnknownTopicOrPartition
            {
                panic!("the topic {topic} of an earlier run cannot be deleted: {code}");
            }
        }
        self.forget(&admin, groups);
        let new: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| {
                let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(1));
                // Room for what dead letters and parked records add (D5).
                if name.ends_with(".dead-letters") {
                    topic.set("max.message.bytes", "1200000")
                } else if name.contains(".parked.") {
                    let topic = topic.set("max.message.bytes", "1200000");
                    topic.set("retention.ms", "-1").set("retention.bytes", "-1")
                } else {
                    topic
                }
            })
            .collect();
        until("the topics are made", || {
            let created = TOKIO
                .block_on(admin.create_topics(&new, &options()))
                .expect("the cluster answers");
            let failed = created.into_iter().filter_map(Result::err);
            // Made by an earlier round of this loop, or not deleted yet.
            let faults: Vec<_> = failed
                .filter(|(_, code)| *code != RDKafkaErrorCode::TopicAlreadyExists)
                .collect();
            holds(faults.is_empty(), || format!("{faults:?}"))
        });
        self.await_topics(topics);
    }

    fn forget(&self, admin: &AdminClient<DefaultClientContext>, groups: &[&str]) {
        if groups.is_empty() {
            return;
        }
        until("the groups of an earlier run are gone", || {
            let deleted = TOKIO
                .block_on(admin.delete_groups(groups, &options()))
                .expect("the cluster answers");
            let failed = deleted.into_iter().filter_map(Result::err);
            // A member of an earlier run that was killed leaves when its session ends.
            let faults: Vec<_> = failed
                .filter(|(_, code)| *code != RDKafkaErrorCode::GroupIdNotFound)
                .collect();
            holds(faults.is_empty(), || format!("{faults:?}"))
        });
    }

    /// Adds partitions.
    pub(crate) fn grow(&self, topic: &str, partitions: i32) {
        let new = NewPartitions::new(topic, partitions as usize);
        let grown = TOKIO
            .block_on(self.admin().create_partitions([&new], &options()))
            .expect("the cluster answers");
        assert!(grown.iter().all(Result::is_ok), "{grown:?}");
        self.await_topics(&[(topic.to_owned(), partitions)]);
    }

    /// Deletes the records below an offset, as retention does.
    pub(crate) fn cut(&self, topic: &str, partition: i32, below: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(below))
            .expect("the offset is in range");
        let cut = TOKIO.block_on(self.admin().delete_records(&list, &options()));
        cut.expect("records can be deleted");
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().expect("an admin client starts")
    }

    fn await_topics(&self, topics: &[(String, i32)]) {
        let client: BaseConsumer = self.config().create().expect("a client starts");
        until("the topics have leaders", || {
            let metadata = client
                .fetch_metadata(None, ANSWER)
                .map_err(|error| error.to_string())?;
            let led: BTreeSet<_> = metadata
                .topics()
                .iter()
                .filter(|topic| topic.partitions().iter().all(|part| part.leader() >= 0))
                .map(|topic| (topic.name().to_owned(), topic.partitions().len() as i32))
                .collect();
            holds(topics.iter().all(|topic| led.contains(topic)), || {
                format!("{led:?}")
            })
        });
    }
}

/// Says something whether the test passes or not: what macros print is shown for failed tests alone.
fn say(line: &str) {
    // Without an error stream nobody would read it.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(ANSWER))
        .request_timeout(Some(ANSWER))
}
