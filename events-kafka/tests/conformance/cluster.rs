//! Kafka under test.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use events_core::Outgoing;
use events_kafka::{
    ClientOptions, Embedded, Handle, Runtime, ShutdownReport, Status, TopicPartition, Written,
};
use events_runtime::{Position, Service};
use events_testkit::Received;
use events_testkit::conformance::{Capabilities, Cluster, Running};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::records::{self, Writer};

/// How long the cluster may take for one answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(20);
/// How often what is not there yet is looked for.
pub(crate) const LOOK: Duration = Duration::from_millis(20);
/// How many times.
pub(crate) const LOOKS: u32 = 1_000;

/// A cluster.
pub(crate) struct Kafka {
    address: String,
    /// The cluster of this process, where no other is named.
    embedded: Option<&'static Embedded>,
    writer: Writer,
    /// Partitions of each topic of the suite that was made here.
    topics: Mutex<BTreeMap<String, i32>>,
    /// A client for each group, which asks for its offsets.
    askers: Mutex<HashMap<String, Arc<BaseConsumer>>>,
}

impl Kafka {
    /// The cluster of all scenarios.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Kafka> = LazyLock::new(Kafka::find);
        &SHARED
    }

    fn find() -> Self {
        let given = std::env::var("KAFKA_BOOTSTRAP_SERVERS")
            .ok()
            .filter(|address| !address.trim().is_empty());
        let (address, embedded) = match given {
            Some(address) => (address, None),
            None => {
                let embedded = Embedded::shared().expect("the embedded cluster starts");
                (embedded.address().to_owned(), Some(embedded))
            }
        };
        let writer = Writer::start(&address);
        Self {
            address,
            embedded,
            writer,
            topics: Mutex::default(),
            askers: Mutex::default(),
        }
    }

    fn config(&self) -> ClientConfig {
        ClientConfig::from_iter([("bootstrap.servers".to_owned(), self.address.clone())])
    }

    fn admin(&self) -> anyhow::Result<AdminClient<DefaultClientContext>> {
        Ok(self.config().create()?)
    }

    async fn make_anew(&self, topic: &str, partitions: i32) -> anyhow::Result<()> {
        let admin = self.admin()?;
        for outcome in admin.delete_topics(&[topic], &options()).await? {
            if let Err((_, code)) = outcome
                && code != Code::UnknownTopicOrPartition
            {
                bail!("what an earlier run left of {topic} cannot be deleted: {code}");
            }
        }
        self.delete_group(&admin, topic).await?;
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        if topic.ends_with(".dead-letters") {
            new = new.set("max.message.bytes", "1200000");
        }
        if topic.contains(".parked.") {
            new = new
                .set("max.message.bytes", "1200000")
                .set("retention.ms", "-1");
        }
        for _ in 0..LOOKS {
            match admin.create_topics([&new], &options()).await?.pop() {
                Some(Ok(_)) => return self.await_leaders(topic, partitions).await,
                // Not deleted yet.
                Some(Err((_, Code::TopicAlreadyExists))) | None => tokio::time::sleep(LOOK).await,
                Some(Err((_, code))) => bail!("{topic} cannot be made: {code}"),
            }
        }
        bail!("{topic} of an earlier run does not go away")
    }

    /// A broker that has just started has no coordinator for the group yet.
    async fn delete_group(
        &self,
        admin: &AdminClient<DefaultClientContext>,
        group: &str,
    ) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            match admin.delete_groups(&[group], &options()).await?.pop() {
                Some(Ok(_)) | Some(Err((_, Code::GroupIdNotFound))) => return Ok(()),
                None
                | Some(Err((
                    _,
                    Code::NotCoordinator
                    | Code::CoordinatorNotAvailable
                    | Code::CoordinatorLoadInProgress,
                ))) => tokio::time::sleep(LOOK).await,
                Some(Err((_, code))) => {
                    bail!("the group {group} of an earlier run cannot be deleted: {code}")
                }
            }
        }
        bail!("the group {group} of an earlier run cannot be deleted: it has no coordinator")
    }

    async fn grow(&self, topic: &str, partitions: i32) -> anyhow::Result<()> {
        let new = NewPartitions::new(topic, usize::try_from(partitions)?);
        for outcome in self.admin()?.create_partitions([&new], &options()).await? {
            outcome.map_err(|(_, code)| anyhow::anyhow!("{topic} cannot grow: {code}"))?;
        }
        self.await_leaders(topic, partitions).await
    }

    async fn await_leaders(&self, topic: &str, partitions: i32) -> anyhow::Result<()> {
        let client: BaseConsumer = self.config().create()?;
        for _ in 0..LOOKS {
            let metadata = client.fetch_metadata(None, ANSWER)?;
            let found = metadata.topics().iter().find(|known| known.name() == topic);
            let led = found.map_or(0, |topic| {
                topic
                    .partitions()
                    .iter()
                    .filter(|part| part.leader() >= 0)
                    .count()
            });
            if led == usize::try_from(partitions)? {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("{topic} has no leaders")
    }

    fn asker(&self, group: &str) -> anyhow::Result<Arc<BaseConsumer>> {
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asker) = askers.get(group) {
            return Ok(Arc::clone(asker));
        }
        let mut config = self.config();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false");
        let asker = Arc::new(config.create::<BaseConsumer>()?);
        askers.insert(group.to_owned(), Arc::clone(&asker));
        Ok(asker)
    }

    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, i32>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(ANSWER))
        .request_timeout(Some(ANSWER))
}

impl Cluster for &'static Kafka {
    type Running = Member;

    fn capabilities(&self) -> Capabilities {
        let real = self.embedded.is_none();
        Capabilities {
            time_start: real,
            retention: real,
            new_partitions: real,
            // Only a process can be killed; the end-to-end tests do that.
            kill: false,
            several_members: true,
            commits_in_a_rebalance: real,
            metadata: true,
            parking: true,
            transactions: real,
        }
    }

    async fn create_topic(&self, topic: &str, partitions: i32) -> anyhow::Result<()> {
        let known = self.topics().get(topic).copied();
        match (self.embedded, known) {
            (Some(embedded), None) => drop(embedded.create_topics([topic], partitions)?),
            (None, None) => self.make_anew(topic, partitions).await?,
            (None, Some(known)) if known < partitions => self.grow(topic, partitions).await?,
            _ => return Ok(()),
        }
        self.topics().insert(topic.to_owned(), partitions);
        Ok(())
    }

    async fn produce(&self, record: Outgoing) -> anyhow::Result<Written> {
        self.writer.write(&record).await
    }

    async fn read(&self, topic: &str) -> anyhow::Result<Vec<Received>> {
        records::read(&self.config(), topic)
    }

    async fn committed(&self, group: &str) -> anyhow::Result<BTreeMap<TopicPartition, Position>> {
        let mut list = TopicPartitionList::new();
        for (topic, partitions) in self
            .topics()
            .iter()
            .filter(|(topic, _)| !topic.ends_with(".dead-letters"))
        {
            list.add_partition_range(topic, 0, partitions - 1);
        }
        let committed = self
            .asker(group)?
            .committed_offsets(list, ANSWER)
            .context("the group's offsets")?;
        let mut positions = BTreeMap::new();
        for element in committed.elements() {
            if let Offset::Offset(watermark) = element.offset() {
                let partition = TopicPartition::new(element.topic(), element.partition());
                positions.insert(
                    partition,
                    Position {
                        watermark,
                        metadata: element.metadata().to_owned(),
                        parked: None,
                    },
                );
            }
        }
        Ok(positions)
    }

    async fn start(&self, service: Service) -> anyhow::Result<Member> {
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", &self.address)
            // How soon a member learns of new partitions; five minutes if nobody says otherwise.
            .set("topic.metadata.refresh.interval.ms", "500");
        let runtime = Runtime::from(service).client(client).park_on_embedded();
        Ok(Member(runtime.spawn().await?))
    }

    async fn truncate(&self, partition: &TopicPartition, before: i64) -> anyhow::Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(
            &partition.topic,
            partition.partition,
            Offset::Offset(before),
        )?;
        self.admin()?.delete_records(&list, &options()).await?;
        Ok(())
    }

    async fn leave_gap(&self, partition: &TopicPartition) -> anyhow::Result<i64> {
        let (config, partition) = (self.config(), partition.clone());
        tokio::task::spawn_blocking(move || records::abort(config, &partition)).await?
    }
}

/// A service that runs.
pub(crate) struct Member(Handle);

impl Running for Member {
    async fn status(&self) -> Status {
        self.0.status()
    }

    fn pause(&self, handler: &str) -> bool {
        self.0.pause(handler).is_ok()
    }

    fn resume(&self, handler: &str) -> bool {
        self.0.resume(handler).is_ok()
    }

    async fn shutdown(self) -> ShutdownReport {
        self.0.drain().await
    }

    async fn kill(self) {
        drop(self);
    }
}
