//! What every scenario needs: a cluster, a topic, a service, a probe.

use std::sync::Arc;
use std::time::Duration;

use events_core::{Event, Outgoing, Park, Retry};
use events_runtime::{Service, Status, TopicPartition, Written};
use tokio::time::Instant;

use super::cluster::{Cluster, Running};
use super::listed;
use super::probe::{self, Probe};
use crate::edge;
use crate::eventually;
use crate::received::Received;

/// How often scenarios let positions be committed.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// Long enough for several commits; how long scenarios look at what must not happen.
pub(crate) const WHILE: Duration = Duration::from_millis(300);
/// Long enough for a drain to be under way on a busy machine, and well within [`DRAIN`].
pub(crate) const DRAINS: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_secs(5);
/// Who publishes what scenarios begin with.
pub(crate) const SOURCE: &str = "conformance";

/// An event of `subject!`.
pub(crate) trait Subject: Event {
    fn new(key: &str, seq: u64) -> Self;
}

/// A scenario's topic, group and service have one name.
pub(crate) struct Stage<'a, C> {
    pub(crate) cluster: &'a C,
    pub(crate) name: &'static str,
    pub(crate) probe: Arc<Probe>,
}

impl<'a, C: Cluster> Stage<'a, C> {
    /// Makes the topic and the dead-letter topic.
    pub(crate) async fn set(cluster: &'a C, name: &'static str, partitions: i32) -> Self {
        let stage = Self {
            cluster,
            name,
            probe: probe::probe(),
        };
        stage.topic(name, partitions).await;
        stage.topic(&stage.dead_letter_topic(), 1).await;
        stage
    }

    pub(crate) async fn topic(&self, topic: &str, partitions: i32) {
        let made = self.cluster.create_topic(topic, partitions).await;
        made.unwrap_or_else(|error| panic!("topic {topic} cannot be made: {error:#}"));
    }

    pub(crate) fn dead_letter_topic(&self) -> String {
        format!("{}.dead-letters", self.name)
    }

    /// The service with the suite's settings: quick commits, quick retries.
    pub(crate) fn service(&self) -> Service {
        let service = Service::with_registry(self.name, listed::registry(self.name));
        service
            .shared_state(Arc::clone(&self.probe))
            .configure(|settings| {
                settings.commit_interval = TICK;
                settings.park = None;
                settings.retry = Retry {
                    attempts: 3,
                    min: Duration::from_millis(10),
                    max: Duration::from_millis(40),
                };
                settings.drain = DRAIN;
            })
    }

    /// Makes the parked topic of the scenario's topic.
    pub(crate) async fn park(&self, partitions: i32) {
        self.topic(&self.parked_topic(), partitions).await;
    }

    pub(crate) fn parked_topic(&self) -> String {
        format!("{0}.parked.{0}", self.name)
    }

    /// The service with keys parked after two attempts, for a blink at a time.
    pub(crate) fn parking_service(&self) -> Service {
        self.service().configure(|settings| {
            settings.retry.attempts = 2;
            settings.park = Some(Park {
                min: Duration::from_millis(100),
                max: Duration::from_millis(200),
                max_age: Duration::from_secs(3600),
            });
        })
    }

    pub(crate) async fn start(&self) -> C::Running {
        self.start_with(self.service()).await
    }

    pub(crate) async fn start_with(&self, service: Service) -> C::Running {
        let started = self.cluster.start(service).await;
        started.unwrap_or_else(|error| panic!("{} does not start: {error:#}", self.name))
    }

    pub(crate) async fn produce(&self, record: Outgoing) -> Written {
        let written = self.cluster.produce(record).await;
        written.unwrap_or_else(|error| {
            panic!("a record of {} cannot be written: {error:#}", self.name)
        })
    }

    /// Publishes an event of `subject!`; its id is made of key and number.
    pub(crate) async fn send<E: Subject>(&self, key: &str, seq: u64) -> Written {
        self.produce(record_of(&E::new(key, seq), &format!("{key}-{seq}")))
            .await
    }

    /// Makes a partition's log go on with offsets that are no records, and answers the offset behind them.
    pub(crate) async fn leave_gap(&self, partition: &TopicPartition) -> i64 {
        let end = self.cluster.leave_gap(partition).await;
        end.unwrap_or_else(|error| panic!("no gap in {partition}: {error:#}"))
    }

    pub(crate) async fn read(&self, topic: &str) -> Vec<Received> {
        let read = self.cluster.read(topic).await;
        read.unwrap_or_else(|error| panic!("{topic} cannot be read: {error:#}"))
    }

    pub(crate) async fn letters(&self) -> Vec<Received> {
        self.read(&self.dead_letter_topic()).await
    }

    /// Waits until `count` dead letters are there.
    pub(crate) async fn letters_once(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} dead letters"), async || {
            self.letters().await.len() >= count
        })
        .await;
        let letters = self.letters().await;
        assert_eq!(letters.len(), count, "{letters:#?}");
        letters
    }

    /// The watermarks that are committed, summed up over the partitions of the scenario's topic.
    pub(crate) async fn committed(&self) -> i64 {
        let committed = self.cluster.committed(self.name).await;
        let committed = committed.unwrap_or_else(|error| panic!("{}: {error:#}", self.name));
        let sources = committed
            .iter()
            .filter(|(partition, _)| !partition.topic.contains(".parked."));
        sources.map(|(_, position)| position.watermark).sum()
    }

    /// Waits until everything below `offset` is committed.
    pub(crate) async fn committed_once(&self, offset: i64) {
        eventually(
            &format!("{} commits up to {offset}", self.name),
            async || self.committed().await == offset,
        )
        .await;
    }

    /// The metadata that is committed for the only partition.
    pub(crate) async fn metadata(&self) -> String {
        let committed = self.cluster.committed(self.name).await.unwrap_or_default();
        committed
            .into_iter()
            .filter(|(partition, _)| !partition.topic.contains(".parked."))
            .map(|(_, position)| position.metadata)
            .collect()
    }

    /// Waits until a handler has done that many records.
    pub(crate) async fn done_once(&self, handler: &str, count: usize) {
        eventually(&format!("{handler} has done {count} records"), async || {
            self.probe.done(handler).len() >= count
        })
        .await;
    }

    /// Opens a gate after some time, where nothing tells from outside how far a member is.
    pub(crate) async fn open_after(&self, time: Duration, gate: &'static str) {
        let until = Instant::now() + time;
        eventually("time passes", async || Instant::now() >= until).await;
        self.probe.open(gate);
    }

    /// Waits until an attempt at a record has begun.
    pub(crate) async fn begun_once(&self, handler: &str, key: &str, seq: u64) {
        eventually(&format!("{handler} begins {key}-{seq}"), async || {
            self.probe.has_begun(handler, key, seq)
        })
        .await;
    }
}

/// Waits until a status is as wanted, and answers it.
pub(crate) async fn status_once<R: Running>(
    running: &R,
    what: &str,
    wanted: impl Fn(&Status) -> bool,
) -> Status {
    let mut last = None;
    eventually(what, async || {
        let status = running.status().await;
        let found = wanted(&status);
        last = Some(status);
        found
    })
    .await;
    // The condition held for the last one.
    last.expect("a status was looked at")
}

/// The record of an event from the suite's source.
pub(crate) fn record_of<E: Event>(event: &E, id: &str) -> Outgoing {
    edge::record(event, SOURCE, id).expect("the suite's events can be encoded")
}

/// Pairs of key and number, as the probe names records.
pub(crate) fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(key, seq)| ((*key).to_owned(), *seq))
        .collect()
}
