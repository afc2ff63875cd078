//! Three brokers behind proxies, and what the bench asks of them on their direct listeners.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::{Builder, Runtime};
use xtask::parts::kafka::Kafka;
use xtask::parts::ports;
use xtask::progress::Progress;
use xtask::workspace::Workspace;

use crate::ask;
use crate::proxy::{self, Rules};
use crate::wait::{LONG, holds, until};

/// How many brokers.
pub(crate) const BROKERS: usize = 3;
/// Copies of each record, two of which must be there for a write.
const COPIES: i32 = 3;
/// How long the cluster may take for one answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(15);
/// Partitions of `__consumer_offsets` (xtask's settings).
const OFFSETS_PARTITIONS: i32 = 8;

pub(crate) struct Cluster {
    pub(crate) kafka: Kafka,
    pub(crate) rules: Arc<Rules>,
    /// Runs the proxies, and the admin client's futures.
    tokio: Runtime,
    proxies: Vec<u16>,
}

impl Cluster {
    pub(crate) fn start(workspace: &Workspace, seed: u64) -> Result<Self> {
        let tokio = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let proxies = ports::free(BROKERS)?;
        // Taken before the brokers look for ports of their own.
        let listeners: Vec<_> = proxies
            .iter()
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)))
            .collect::<Result<_, _>>()?;
        let progress = Progress::start("faults");
        let kafka = Kafka::behind(workspace, &proxies, &progress)?;
        drop(progress);
        let rules = Arc::new(Rules::default());
        for (broker, (listener, upstream)) in
            listeners.into_iter().zip(kafka.clients_ports()).enumerate()
        {
            let rules = Arc::clone(&rules);
            proxy::serve(tokio.handle(), listener, broker, upstream, rules, seed)?;
        }
        let cluster = Self {
            kafka,
            rules,
            tokio,
            proxies,
        };
        // The first group of all makes the topic of offsets, which takes seconds that belong to no scenario.
        cluster.create(&[("faults.warm-up", 1)])?;
        for group in 0..2 * OFFSETS_PARTITIONS {
            let group = format!("faults-warm-up-{group}");
            cluster.set_offsets(&group, "faults.warm-up", &[(0, 0)])?;
        }
        cluster.await_in_sync(&["__consumer_offsets"], LONG)?;
        Ok(cluster)
    }

    /// Where services find it: the proxies.
    pub(crate) fn address(&self) -> String {
        let proxies: Vec<_> = self
            .proxies
            .iter()
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        proxies.join(",")
    }

    /// A client of the bench's own, past the proxies.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.kafka.direct_address());
        config.set("topic.metadata.refresh.interval.ms", "1000");
        config
    }

    /// A client that speaks for a group without being one of its members.
    pub(crate) fn speaker(&self, group: &str) -> Result<BaseConsumer> {
        let mut config = self.config();
        config.set("group.id", group);
        config.set("enable.auto.commit", "false");
        Ok(config.create()?)
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>> {
        Ok(self.config().create()?)
    }

    /// Makes topics anew, without a record.
    pub(crate) fn reset(&self, topics: &[(&str, i32)]) -> Result<()> {
        let names: Vec<_> = topics.iter().map(|(name, _)| *name).collect();
        self.delete(&names)?;
        self.create(topics)
    }

    pub(crate) fn delete(&self, topics: &[&str]) -> Result<()> {
        let admin = self.admin()?;
        until("topics of an earlier scenario are gone", LONG, || {
            let deleted = self.tokio.block_on(admin.delete_topics(topics, &options()));
            let outcomes = deleted.map_err(|error| error.to_string())?;
            let faults: Vec<_> = outcomes
                .into_iter()
                .filter_map(Result::err)
                .filter(|(_, code)| *code != RDKafkaErrorCode::UnknownTopicOrPartition)
                .collect();
            holds(faults.is_empty(), || format!("{faults:?}"))
        })?;
        // Brokers carry it out by and by: one that has not would take records for topics that are gone.
        let brokers = self.kafka.direct_address();
        until("no broker knows the topics", LONG, || {
            for (broker, topic) in brokers
                .split(',')
                .flat_map(|broker| topics.iter().map(move |topic| (broker, *topic)))
            {
                let known = ask::knows(broker, topic).map_err(|error| error.to_string())?;
                holds(!known, || format!("{broker} knows {topic}"))?;
            }
            Ok(())
        })
    }

    pub(crate) fn create(&self, topics: &[(&str, i32)]) -> Result<()> {
        let admin = self.admin()?;
        let new: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| {
                let topic = NewTopic::new(name, *partitions, TopicReplication::Fixed(COPIES));
                // Room for what a dead letter or a parked record adds (D5).
                match name.contains(".dead-letters") || name.contains(".parked.") {
                    true => topic.set("max.message.bytes", ROOMY),
                    false => topic,
                }
            })
            .collect();
        until("the topics are made", LONG, || {
            let created = self.tokio.block_on(admin.create_topics(&new, &options()));
            let outcomes = created.map_err(|error| error.to_string())?;
            let faults: Vec<_> = outcomes
                .into_iter()
                .filter_map(Result::err)
                .filter(|(_, code)| *code != RDKafkaErrorCode::TopicAlreadyExists)
                .collect();
            holds(faults.is_empty(), || format!("{faults:?}"))
        })?;
        self.await_leaders(topics)
    }

    fn await_leaders(&self, topics: &[(&str, i32)]) -> Result<()> {
        let client: BaseConsumer = self.config().create()?;
        until("every partition has a leader", LONG, || {
            for (name, count) in topics {
                let metadata = client
                    .fetch_metadata(Some(name), ANSWER)
                    .map_err(|error| error.to_string())?;
                let led = metadata
                    .topics()
                    .iter()
                    .flat_map(|topic| topic.partitions());
                let led = led.filter(|partition| partition.leader() >= 0).count();
                holds(led == *count as usize, || {
                    format!("{name}: {led} of {count}")
                })?;
            }
            Ok(())
        })?;
        // Each leader itself must know that it is one: a producer's second batch may come to a new partition when the
        // first one came too early, and then nobody takes the first any more.
        until("every leader takes records", LONG, || {
            for (name, count) in topics {
                for partition in 0..*count {
                    client
                        .fetch_watermarks(name, partition, ANSWER)
                        .map_err(|error| format!("{name}/{partition}: {error}"))?;
                }
            }
            Ok(())
        })
    }

    /// Sets one setting of a topic; the others become what they are by default.
    pub(crate) fn set_topic(&self, topic: &str, name: &str, value: &str) -> Result<()> {
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(name, value);
        let altered = self
            .tokio
            .block_on(self.admin()?.alter_configs([&change], &options()))?;
        for outcome in altered {
            outcome
                .map_err(|(_, code)| anyhow!("{topic} cannot be set to {name}={value}: {code}"))?;
        }
        Ok(())
    }

    /// Deletes the records of a partition below an offset, as retention does.
    pub(crate) fn delete_records(&self, topic: &str, partition: i32, before: i64) -> Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before))?;
        self.tokio
            .block_on(self.admin()?.delete_records(&list, &options()))?;
        Ok(())
    }

    /// Sets a group's offsets, as an operator does while the service is stopped.
    pub(crate) fn set_offsets(
        &self,
        group: &str,
        topic: &str,
        offsets: &[(i32, i64)],
    ) -> Result<()> {
        let client = self.speaker(group)?;
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
        }
        until("the group's offsets are set", LONG, || {
            let set = client.commit(&list, CommitMode::Sync);
            set.map_err(|error| error.to_string())
        })
    }

    /// The broker (from 0) that coordinates a group.
    pub(crate) fn coordinator(&self, group: &str) -> Result<usize> {
        let address = self.kafka.direct_address();
        let first = address.split(',').next().context("there are brokers")?;
        ask::coordinator(first, group)
    }

    /// Waits until every copy of a topic's partitions is in sync again.
    pub(crate) fn await_in_sync(&self, topics: &[&str], limit: Duration) -> Result<()> {
        let client: BaseConsumer = self.config().create()?;
        until("every copy is in sync", limit, || {
            for name in topics {
                let metadata = client
                    .fetch_metadata(Some(name), ANSWER)
                    .map_err(|error| error.to_string())?;
                let mut partitions = metadata
                    .topics()
                    .iter()
                    .flat_map(|topic| topic.partitions());
                let short = partitions.find(|partition| partition.isr().len() < COPIES as usize);
                holds(short.is_none(), || format!("not of {name}"))?;
            }
            Ok(())
        })
    }

    /// Start and end of each partition.
    pub(crate) fn ends(&self, topic: &str) -> Result<Vec<(i64, i64)>> {
        let client: BaseConsumer = self.config().create()?;
        let metadata = client.fetch_metadata(Some(topic), ANSWER)?;
        let Some(found) = metadata.topics().first() else {
            bail!("there is no topic {topic}");
        };
        let mut partitions: Vec<_> = found.partitions().iter().map(|found| found.id()).collect();
        partitions.sort_unstable();
        partitions
            .into_iter()
            .map(|partition| Ok(client.fetch_watermarks(topic, partition, ANSWER)?))
            .collect()
    }
}

/// What a dead-letter topic takes: its source's largest record, and room.
pub(crate) const ROOMY: &str = "1200000";

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(ANSWER))
        .request_timeout(Some(ANSWER))
}
