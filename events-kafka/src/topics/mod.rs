//! The topics of a service: made where that is asked for, otherwise checked at the start (D13).

mod catalog;
mod groups;
mod kept;
mod offset_metadata;
mod probe;
mod state;
mod wanted;

use std::sync::Arc;

use events_core::Fault;
use events_runtime::{GroupPlan, TopicPartition};

pub(crate) use catalog::{Catalog, Making};
#[cfg(test)]
pub(crate) use groups::Reading;
pub(crate) use groups::{ANY_GROUP, Groups};
pub(crate) use probe::{Probe, Silence};
use state::State;
use wanted::Wanted;

use crate::embedded::{Embedded, PARTITIONS};
use crate::error::KafkaError;
use crate::options::ClientOptions;
use crate::rights::{self, Lack};

/// A topic's setting for its largest batch, and so for its largest record.
const MAX_BYTES: &str = "max.message.bytes";
/// A topic's setting for how long it keeps records.
const RETENTION: &str = "retention.ms";
/// A topic's setting for how many bytes of records each of its partitions keeps.
const RETENTION_BYTES: &str = "retention.bytes";
/// A topic's setting for how it gives up records: `delete`, `compact` or both.
const CLEANUP: &str = "cleanup.policy";
/// A topic's setting for whose time its records have: `CreateTime`, the producer's, or `LogAppendTime`, the broker's.
const TIMESTAMP: &str = "message.timestamp.type";

/// The client's bound for the bytes of a batch, and its default.
const BATCH: &str = "batch.size";
const DEFAULT_BATCH: usize = 1_000_000;

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
        client.expect_partitions(read(plans).count() * usize::try_from(partitions).unwrap_or(1));
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
    let lacks = rights::lacking(&catalog, &rights::of(plans, ensure))
        .await
        .found;
    let mut state = State::read(&catalog, &wanted, &lacks).await?;
    size(client, &state, plans);
    warn(&state.warnings(&catalog, &wanted));
    if !lacks.is_empty() {
        let mut faults = faults_of(&lacks, service, client);
        faults.extend(state.faults(&catalog, &wanted, ensure.is_some()));
        return KafkaError::unless_empty(service, faults);
    }
    if let Some(ensure) = ensure {
        let missing = state.makings(&wanted, ensure);
        if !missing.is_empty() {
            let known = catalog.create(&missing, ensure.replication).await?;
            let topics: Vec<_> = missing.iter().map(|making| &*making.name).collect();
            tracing::info!(
                service,
                topics = topics.join(", "),
                "created missing topics"
            );
            if known {
                // Made by others, a moment ago and with settings of theirs.
                state = State::read(&catalog, &wanted, &lacks).await?;
                size(client, &state, plans);
            }
        }
        let short = state.short(&wanted);
        if !short.is_empty() {
            catalog.grow(&short).await?;
            tracing::info!(service, topics = ?short, "gave parked topics the partitions of their sources");
        }
    }
    let faults = state.faults(&catalog, &wanted, ensure.is_some());
    catalog.close();
    KafkaError::unless_empty(service, faults)
}

/// The topics that the groups read.
fn read(plans: &[Arc<GroupPlan>]) -> impl Iterator<Item = &str> {
    plans
        .iter()
        .flat_map(|plan| plan.topics.keys())
        .map(String::as_str)
}

/// Tells the client how many partitions its topics have, and how large its topics' records may be, and so its batches: a topic's limit is that of a batch, and one
/// that is too large is refused with all that is in it.
fn size(client: &mut ClientOptions, state: &State, plans: &[Arc<GroupPlan>]) {
    client.expect_partitions(read(plans).map(|topic| state.partitions(topic)).sum());
    client.take_records_of(state.largest_record());
    let smallest = state.smallest_record();
    if smallest < DEFAULT_BATCH && client.property(BATCH).is_none() {
        *client = client.clone().set(BATCH, smallest.to_string());
    }
}

fn warn(warnings: &[Fault]) {
    for warning in warnings {
        tracing::warn!(
            code = warning.code,
            "{}; {}",
            warning.message,
            warning.remedy
        );
    }
}

/// Gives a parked topic as many partitions as its source has got by now.
pub(crate) async fn grow_parked(
    client: &ClientOptions,
    parked: &str,
    partitions: usize,
) -> Result<(), KafkaError> {
    let catalog = Catalog::connect(client)?;
    catalog.grow(&[(parked.to_owned(), partitions)]).await
}

/// Deletes the records of a log below an offset.
pub(crate) async fn trim(
    client: &ClientOptions,
    log: &TopicPartition,
    below: i64,
) -> Result<(), KafkaError> {
    Catalog::connect(client)?.trim(log, below).await
}

/// How many partitions the topics have that the groups read; none on the embedded cluster, where a start makes them.
pub(crate) async fn partitions(
    plans: &[Arc<GroupPlan>],
    client: &ClientOptions,
) -> Result<Option<usize>, KafkaError> {
    if client.is_embedded() {
        return Ok(None);
    }
    let existing = Catalog::connect(client)?.existing().await?.partitions;
    let counts = read(plans).map(|topic| existing.get(topic).copied().unwrap_or(0));
    Ok(Some(counts.sum()))
}

/// Looks for what is wrong with the topics of a real cluster and with the rights to them, and changes nothing. On the embedded cluster nothing is.
pub(crate) async fn faults(
    service: &str,
    plans: &[Arc<GroupPlan>],
    client: &ClientOptions,
    ensure: Option<Ensure>,
) -> Result<Vec<Fault>, KafkaError> {
    if client.is_embedded() {
        return Ok(Vec::new());
    }
    let wanted = Wanted::by(plans);
    let catalog = Catalog::connect(client)?;
    let lacks = rights::lacking(&catalog, &rights::of(plans, ensure))
        .await
        .found;
    let state = State::read(&catalog, &wanted, &lacks).await?;
    warn(&state.warnings(&catalog, &wanted));
    let mut faults = faults_of(&lacks, service, client);
    faults.extend(state.faults(&catalog, &wanted, ensure.is_some()));
    Ok(faults)
}

/// What the brokers' settings keep the service from doing, as far as this user may read them.
pub(crate) async fn broker_warnings(client: &ClientOptions) -> Vec<Fault> {
    if client.is_embedded() {
        return Vec::new();
    }
    match Catalog::connect(client) {
        Ok(catalog) => offset_metadata::warning(&catalog)
            .await
            .into_iter()
            .collect(),
        Err(_) => Vec::new(),
    }
}

fn faults_of(lacks: &[Lack], service: &str, client: &ClientOptions) -> Vec<Fault> {
    lacks
        .iter()
        .map(|lack| lack.fault(service, client))
        .collect()
}
