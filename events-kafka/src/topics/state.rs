//! What the cluster's topics are, beside what the service needs of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use events_core::Fault;
use events_core::escape::shell;

use super::catalog::{Catalog, Existing, Making, TopicSettings};
use super::kept::{self, FOR_EVER, Kept, Losing, TRIMMED};
use super::wanted::Wanted;
use super::{CLEANUP, Ensure, MAX_BYTES, RETENTION, RETENTION_BYTES, TIMESTAMP};
use crate::error::KafkaError;
use crate::options::BROKER_MAX_MESSAGE;
use crate::rights::{Lack, Operation, Resource};

/// Bytes by which a dead letter or a parked record may be larger than its source: what the topic must allow (D5), and what
/// it is made with.
const ROOM: (usize, usize) = (64 * 1024, 128 * 1024);
/// Partitions that the remedy for a missing topic suggests.
const SUGGESTED_PARTITIONS: i32 = 8;
/// Copies of each record that it suggests, where there are as many brokers.
const SUGGESTED_REPLICATION: usize = 3;

/// What the cluster says of the wanted topics.
pub(crate) struct State {
    existing: Existing,
    settings: BTreeMap<String, TopicSettings>,
    missing: Vec<String>,
}

impl State {
    /// What this user may not know is left out: `lacks` are faults of their own.
    pub(crate) async fn read(
        catalog: &Catalog,
        wanted: &Wanted,
        lacks: &[Lack],
    ) -> Result<Self, KafkaError> {
        let existing = catalog.existing().await?;
        let lack = |name: &str| {
            let mut of_topics = lacks
                .iter()
                .filter(|lack| lack.right.resource == Resource::Topic);
            of_topics.find(|lack| lack.right.name == name)
        };
        let (found, missing): (Vec<_>, Vec<_>) = wanted
            .names()
            .partition(|name| existing.partitions.contains_key(*name));
        let known = found.into_iter().filter(|name| {
            lack(name)
                .is_none_or(|lack| !lack.right.operations.contains(&Operation::DescribeConfigs))
        });
        let settings = catalog.settings(&known.collect::<Vec<_>>()).await;
        let missing = missing
            .into_iter()
            .filter(|name| lack(name).is_none_or(|lack| !lack.hidden))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            existing,
            settings,
            missing,
        })
    }

    /// How many partitions a topic has; 0 if it does not exist.
    pub(crate) fn partitions(&self, topic: &str) -> usize {
        self.existing.partitions.get(topic).copied().unwrap_or(0)
    }

    /// The largest record of all of them in bytes.
    pub(crate) fn largest_record(&self) -> usize {
        let limits = self.settings.values();
        let largest = limits.filter_map(|settings| settings.max_bytes).max();
        largest.unwrap_or(BROKER_MAX_MESSAGE)
    }

    /// The largest record of the topic that takes the least, in bytes.
    pub(crate) fn smallest_record(&self) -> usize {
        let limits = self.settings.values();
        let smallest = limits.filter_map(|settings| settings.max_bytes).min();
        smallest.unwrap_or(BROKER_MAX_MESSAGE)
    }

    fn limit(&self, topic: &str) -> Option<usize> {
        self.settings.get(topic)?.max_bytes
    }

    /// The largest record of the topics whose records may end in `topic`; none if it is a topic of events.
    fn source_limit(&self, wanted: &Wanted, topic: &str) -> Option<usize> {
        let limit = match (wanted.parked.get(topic), wanted.letters.get(topic)) {
            (Some(source), _) => self.limit(source),
            (None, Some(sources)) => sources.iter().filter_map(|source| self.limit(source)).max(),
            (None, None) => return None,
        };
        Some(limit.unwrap_or(BROKER_MAX_MESSAGE))
    }

    /// The settings that a topic is to be made with.
    fn settings_of(&self, wanted: &Wanted, topic: &str) -> BTreeMap<&'static str, String> {
        let mut settings = BTreeMap::new();
        if let Some(limit) = self.source_limit(wanted, topic) {
            settings.insert(MAX_BYTES, (limit + ROOM.1).to_string());
            settings.insert(RETENTION, FOR_EVER.to_owned());
            settings.insert(RETENTION_BYTES, FOR_EVER.to_owned());
            settings.insert(CLEANUP, TRIMMED.to_owned());
            // A record keeps its time, whatever the cluster's default is.
            settings.insert(TIMESTAMP, "CreateTime".to_owned());
        }
        settings
    }

    /// The partitions of a parked topic's source, if it exists.
    fn source_partitions(&self, wanted: &Wanted, parked: &str) -> Option<usize> {
        let source = wanted.parked.get(parked)?;
        let found = self.existing.partitions.get(source).copied();
        found.filter(|count| *count > 0)
    }

    /// What is missing, as it is to be made.
    pub(crate) fn makings(&self, wanted: &Wanted, ensure: Ensure) -> Vec<Making> {
        let missing = self.missing.iter();
        let making = |name: &String| Making {
            name: name.clone(),
            partitions: self
                .source_partitions(wanted, name)
                .and_then(|count| i32::try_from(count).ok())
                .unwrap_or(ensure.partitions),
            settings: self.settings_of(wanted, name),
        };
        missing.map(making).collect()
    }

    /// Parked topics that have fewer partitions than their source, with the number that they need.
    pub(crate) fn short(&self, wanted: &Wanted) -> Vec<(String, usize)> {
        let parked = wanted.parked.keys();
        let short = parked.filter_map(|parked| {
            let found = *self.existing.partitions.get(parked)?;
            let needed = self.source_partitions(wanted, parked)?;
            (found < needed).then(|| (parked.clone(), needed))
        });
        short.collect()
    }

    pub(crate) fn faults(&self, catalog: &Catalog, wanted: &Wanted, ensured: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !ensured {
            faults.extend(self.missing_fault(catalog, wanted));
            faults.extend(self.short(wanted).into_iter().map(|(parked, needed)| {
                Fault::new(
                    "short-parked-topic",
                    format!("the parked topic `{parked}` has fewer partitions than its source, which has {needed}"),
                    format!(
                        "kafka-topics.sh --bootstrap-server {} --alter --topic {} --partitions {needed}",
                        shell(catalog.address()),
                        shell(&parked)
                    ),
                )
            }));
        }
        for topic in wanted.letters.keys().chain(wanted.parked.keys()) {
            faults.extend(self.small_fault(catalog, wanted, topic));
        }
        for parked in wanted.parked.keys() {
            faults.extend(self.losing(catalog, parked, &kept::PARKED));
        }
        for letters in wanted.letters.keys() {
            let losing = self.losing(catalog, letters, &kept::LETTERS);
            faults.extend(losing.into_iter().filter(by_key));
        }
        faults
    }

    /// The settings that lose dead letters nobody has looked at: how long those are kept is for their owner to say.
    pub(crate) fn warnings(&self, catalog: &Catalog, wanted: &Wanted) -> Vec<Fault> {
        let letters = wanted.letters.keys();
        let losing = letters.flat_map(|letters| self.losing(catalog, letters, &kept::LETTERS));
        losing.filter(|fault| !by_key(fault)).collect()
    }

    fn losing(&self, catalog: &Catalog, topic: &str, kept: &Kept) -> Vec<Fault> {
        let found = self.settings.get(topic).copied().unwrap_or_default();
        let losing = kept.losing(topic, found).into_iter();
        let fault = |losing: Losing| {
            let remedy = configure(catalog, topic, losing.setting, losing.value);
            Fault::new(losing.code, losing.message, remedy)
        };
        losing.map(fault).collect()
    }

    fn small_fault(&self, catalog: &Catalog, wanted: &Wanted, topic: &str) -> Option<Fault> {
        let (limit, source) = (self.limit(topic)?, self.source_limit(wanted, topic)?);
        if limit >= source + ROOM.0 {
            return None;
        }
        let (code, kind, what) = if wanted.parked.contains_key(topic) {
            ("small-parked-topic", "parked", "a parked record")
        } else {
            ("small-dead-letters", "dead-letter", "a dead letter")
        };
        let message = format!(
            "the {kind} topic `{topic}` takes records of {limit} bytes, but {what} may have {}: its source's {source} and 64 KiB",
            source + ROOM.0
        );
        let remedy = configure(catalog, topic, MAX_BYTES, &(source + ROOM.1).to_string());
        Some(Fault::new(code, message, remedy))
    }

    fn missing_fault(&self, catalog: &Catalog, wanted: &Wanted) -> Option<Fault> {
        let count = self.missing.len();
        let what = match count {
            0 => return None,
            1 => "topic does not exist",
            _ => "topics do not exist",
        };
        let message = format!(
            "{count} {what} at {}: {}",
            catalog.address(),
            self.missing.join(", ")
        );
        let remedy = self.commands(catalog, wanted);
        Some(Fault::new("missing-topics", message, remedy))
    }

    /// A line for each missing topic that makes it.
    fn commands(&self, catalog: &Catalog, wanted: &Wanted) -> String {
        let copies = self.existing.brokers.clamp(1, SUGGESTED_REPLICATION);
        let suggested = Ensure {
            partitions: SUGGESTED_PARTITIONS,
            replication: 1,
        };
        let mut text = String::from("call `.ensure_topics(partitions, replication)`, or run");
        for Making {
            name,
            partitions,
            settings,
        } in self.makings(wanted, suggested)
        {
            let _ = write!(
                text,
                "\n      kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {partitions} --replication-factor {copies}",
                shell(catalog.address()),
                shell(&name)
            );
            for (setting, value) in settings {
                let _ = write!(text, " --config {setting}={value}");
            }
        }
        text
    }
}

/// Whether records go that a later one of their key replaces: nobody can want that of letters.
fn by_key(fault: &Fault) -> bool {
    fault.code == kept::LETTERS.by_key
}

/// The command that changes a topic's setting.
fn configure(catalog: &Catalog, topic: &str, setting: &str, value: &str) -> String {
    format!(
        "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {setting}={value}",
        shell(catalog.address()),
        shell(topic)
    )
}

#[cfg(test)]
mod tests;
