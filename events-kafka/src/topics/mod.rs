//! The topics of a service: made where that is asked for, otherwise checked at the start (D13).

mod catalog;
mod wanted;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use events_core::Fault;
use events_runtime::GroupPlan;

use catalog::{Catalog, Existing};
use wanted::Wanted;

use crate::embedded::{Embedded, PARTITIONS};
use crate::error::KafkaError;
use crate::options::{BROKER_MAX_MESSAGE, ClientOptions};

/// A topic's setting for its largest batch, and so for its largest record.
const MAX_BYTES: &str = "max.message.bytes";
/// Bytes by which a dead letter may be larger than its source: what the topic must allow (D5), and what it is made with.
const LETTER_ROOM: (usize, usize) = (64 * 1024, 128 * 1024);
/// Partitions that the remedy for a missing topic suggests.
const SUGGESTED_PARTITIONS: i32 = 8;
/// Copies of each record that it suggests, where there are as many brokers.
const SUGGESTED_REPLICATION: usize = 3;

/// How missing topics are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ensure {
    pub(crate) partitions: i32,
    pub(crate) replication: i32,
}

impl Ensure {
    pub(crate) fn faults(self) -> Vec<Fault> {
        let values = [
            ("partitions", self.partitions),
            ("replication", self.replication),
        ];
        let wrong = values.iter().filter(|(_, value)| *value < 1);
        wrong
            .map(|(name, value)| {
                Fault::new(
                    "ensure-topics",
                    format!("`ensure_topics` has {name} = {value}"),
                    "give it 1 or more",
                )
            })
            .collect()
    }
}

/// Sees to it that every topic of the service exists, and tells `client` how large their records are.
pub(crate) async fn prepare(
    service: &str,
    plans: &[Arc<GroupPlan>],
    client: &mut ClientOptions,
    ensure: Option<Ensure>,
) -> Result<(), KafkaError> {
    let wanted = Wanted::by(plans);
    if client.is_embedded() {
        let partitions = ensure.map_or(PARTITIONS, |ensure| ensure.partitions);
        let created = Embedded::shared()?.create_topics(wanted.names(), partitions)?;
        tracing::debug!(
            service,
            ?created,
            partitions,
            "topics of the embedded cluster"
        );
        return Ok(());
    }
    let catalog = Catalog::connect(client)?;
    let state = State::read(&catalog, &wanted).await?;
    client.take_records_of(
        state
            .limits
            .values()
            .copied()
            .max()
            .unwrap_or(BROKER_MAX_MESSAGE),
    );
    if let Some(ensure) = ensure
        && !state.missing.is_empty()
    {
        let topics: Vec<_> = state
            .missing
            .iter()
            .map(|name| {
                (
                    name.clone(),
                    ensure.partitions,
                    state.letter_limit(&wanted, name),
                )
            })
            .collect();
        catalog.create(&topics, ensure.replication).await?;
        tracing::info!(
            service,
            topics = state.missing.join(", "),
            partitions = ensure.partitions,
            "created missing topics"
        );
    }
    KafkaError::unless_empty(service, state.faults(&catalog, &wanted, ensure.is_some()))
}

/// Looks for what is wrong with the topics of a real cluster, and changes nothing. On the embedded cluster nothing is.
pub(crate) async fn faults(
    plans: &[Arc<GroupPlan>],
    client: &ClientOptions,
    ensure: Option<Ensure>,
) -> Result<Vec<Fault>, KafkaError> {
    if client.is_embedded() {
        return Ok(Vec::new());
    }
    let wanted = Wanted::by(plans);
    let catalog = Catalog::connect(client)?;
    let state = State::read(&catalog, &wanted).await?;
    Ok(state.faults(&catalog, &wanted, ensure.is_some()))
}

/// What the cluster says of the wanted topics.
struct State {
    existing: Existing,
    /// Largest record of each existing topic.
    limits: BTreeMap<String, usize>,
    missing: Vec<String>,
}

impl State {
    async fn read(catalog: &Catalog, wanted: &Wanted) -> Result<Self, KafkaError> {
        let existing = catalog.existing().await?;
        let (found, missing): (Vec<_>, Vec<_>) = wanted
            .names()
            .partition(|name| existing.partitions.contains_key(*name));
        let limits = catalog.record_limits(&found).await;
        let missing = missing.into_iter().map(str::to_owned).collect();
        Ok(Self {
            existing,
            limits,
            missing,
        })
    }

    /// The largest record of the topics whose records may end in `letters`; none if it is no dead-letter topic.
    fn source_limit(&self, wanted: &Wanted, letters: &str) -> Option<usize> {
        let sources = wanted.letters.get(letters)?;
        let limits = sources
            .iter()
            .filter_map(|source| self.limits.get(source).copied());
        Some(limits.max().unwrap_or(BROKER_MAX_MESSAGE))
    }

    fn letter_limit(&self, wanted: &Wanted, topic: &str) -> Option<usize> {
        self.source_limit(wanted, topic)
            .map(|limit| limit + LETTER_ROOM.1)
    }

    fn faults(&self, catalog: &Catalog, wanted: &Wanted, ensured: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !ensured && !self.missing.is_empty() {
            let count = self.missing.len();
            let message = format!(
                "{count} {} at {}: {}",
                if count == 1 {
                    "topic does not exist"
                } else {
                    "topics do not exist"
                },
                catalog.address(),
                self.missing.join(", ")
            );
            faults.push(Fault::new(
                "missing-topics",
                message,
                self.commands(catalog, wanted),
            ));
        }
        for letters in wanted.letters.keys() {
            let (Some(limit), Some(source)) =
                (self.limits.get(letters), self.source_limit(wanted, letters))
            else {
                continue;
            };
            if *limit < source + LETTER_ROOM.0 {
                let message = format!(
                    "the dead-letter topic `{letters}` takes records of {limit} bytes, but a dead letter may have {}: its source's {source} and 64 KiB",
                    source + LETTER_ROOM.0
                );
                let remedy = format!(
                    "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {letters} --add-config {MAX_BYTES}={}",
                    catalog.address(),
                    source + LETTER_ROOM.1
                );
                faults.push(Fault::new("small-dead-letters", message, remedy));
            }
        }
        faults
    }

    /// A line for each missing topic that makes it.
    fn commands(&self, catalog: &Catalog, wanted: &Wanted) -> String {
        let copies = self.existing.brokers.clamp(1, SUGGESTED_REPLICATION);
        let mut text = String::from("call `.ensure_topics(partitions, replication)`, or run");
        for topic in &self.missing {
            let _ = write!(
                text,
                "\n      kafka-topics.sh --bootstrap-server {} --create --topic {topic} --partitions {SUGGESTED_PARTITIONS} --replication-factor {copies}",
                catalog.address()
            );
            if let Some(limit) = self.letter_limit(wanted, topic) {
                let _ = write!(text, " --config {MAX_BYTES}={limit}");
            }
        }
        text
    }
}
