//! The broker: topics are made anew at the start of each benchmark.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataTopic;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use tokio::runtime::Runtime;

use crate::settings::PARTITIONS;

const ADDRESS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const ANSWER: Duration = Duration::from_secs(30);
/// A deleted topic's name is free once the broker has let go of it.
const LOOK: Duration = Duration::from_millis(50);

/// The broker that is measured on.
pub(crate) enum Cluster {
    Real(Real),
    /// The client's own, in this process.
    Embedded {
        cluster: MockCluster<'static, DefaultProducerContext>,
        address: String,
    },
}

pub(crate) struct Real {
    address: String,
    admin: AdminClient<DefaultClientContext>,
    waiting: Runtime,
}

impl Cluster {
    pub(crate) fn connect(embedded: bool) -> Result<Self> {
        if embedded {
            let cluster = MockCluster::new(1)?;
            let address = cluster.bootstrap_servers();
            return Ok(Self::Embedded { cluster, address });
        }
        let address = std::env::var(ADDRESS).ok().filter(|address| !address.is_empty()).with_context(|| {
            format!("{ADDRESS} is not set: run `cargo xtask bench …`, which starts a broker, or set it, or pass --embedded")
        })?;
        let admin = ClientConfig::new()
            .set("bootstrap.servers", &address)
            .create()?;
        let waiting = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self::Real(Real {
            address,
            admin,
            waiting,
        }))
    }

    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Real(real) => &real.address,
            Self::Embedded { address, .. } => address,
        }
    }

    /// Makes the topic with nothing in it, whatever was there before.
    pub(crate) fn renew(&self, topic: &str) -> Result<()> {
        match self {
            Self::Real(real) => {
                real.delete(topic)?;
                real.create(topic)
            }
            Self::Embedded { cluster, .. } => {
                cluster.create_topic(topic, PARTITIONS, 1)?;
                Ok(())
            }
        }
    }

    /// Where the group's dead letters would go. A real cluster gets it from the framework itself.
    pub(crate) fn prepare_letters(&self, topic: &str) -> Result<()> {
        if let Self::Embedded { cluster, .. } = self {
            cluster.create_topic(topic, 1, 1)?;
        }
        Ok(())
    }

    /// Deletes the topics that a group made: of its dead letters, and of what it has parked.
    pub(crate) fn remove_of(&self, group: &str) -> Result<()> {
        let Self::Real(real) = self else {
            return Ok(());
        };
        let metadata = real.admin.inner().fetch_metadata(None, ANSWER)?;
        let prefix = format!("{group}.");
        let topics = metadata.topics().iter().map(MetadataTopic::name);
        topics
            .filter(|topic| topic.starts_with(&prefix))
            .try_for_each(|topic| real.delete(topic))
    }
}

impl Real {
    fn delete(&self, topic: &str) -> Result<()> {
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let deleted = self
            .waiting
            .block_on(self.admin.delete_topics(&[topic], &options))?;
        for outcome in deleted {
            match outcome {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => bail!("cannot delete the topic `{topic}`: {code}"),
            }
        }
        Ok(())
    }

    fn create(&self, topic: &str) -> Result<()> {
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
        let begun = Instant::now();
        loop {
            let created = self
                .waiting
                .block_on(self.admin.create_topics([&new], &options))?;
            match created.into_iter().next() {
                None | Some(Ok(_)) => break,
                // It is being deleted.
                Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists)))
                    if begun.elapsed() < ANSWER =>
                {
                    thread::sleep(LOOK)
                }
                Some(Err((topic, code))) => bail!("cannot create the topic `{topic}`: {code}"),
            }
        }
        self.await_leaders(topic)
    }

    fn await_leaders(&self, topic: &str) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < ANSWER {
            let metadata = self.admin.inner().fetch_metadata(Some(topic), ANSWER)?;
            let found = metadata
                .topics()
                .iter()
                .find(|found| found.name() == topic && found.error().is_none());
            let led = found.is_some_and(|found| {
                found.partitions().len() == PARTITIONS as usize
                    && found
                        .partitions()
                        .iter()
                        .all(|partition| partition.leader() >= 0)
            });
            if led {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        bail!("the topic `{topic}` has no leaders after {ANSWER:?}")
    }
}
