//! Manifests of services that run, in a compacted topic: what is really deployed, for checks across services.

mod announcement;
mod judgement;

use std::collections::BTreeMap;
use std::time::Duration;

use events_core::company::Company;
use events_core::escape::{line, shell};
use events_core::manifest::Manifest;
use events_core::{Error, Fault, Outgoing, RecordView as _, Result};

pub(crate) use announcement::{Announcement, Others};

use crate::options::ClientOptions;
use crate::reader::Reader;
use crate::rights::{Operation, Resource, Right};
use crate::topics::{Ensure, Making};

/// Where services say what they are: a record for each, with the service as its key.
pub(crate) const TOPIC: &str = "_events.manifests";
/// Largest manifest in bytes. One of 1,000 events has about one MiB.
pub(crate) const LARGEST: usize = 8 << 20;
/// Bytes of a log's file. The newest file is not compacted, and whoever compares reads all.
const SEGMENT: usize = 16 << 20;
/// How long a service may wait for the topic. Without an answer it goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is deployed, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Deployed {
    company: Company,
    /// The newest record of each service, as it stands in the log.
    records: BTreeMap<String, Vec<u8>>,
    /// The topic is not there, or may not be seen.
    missing: bool,
    /// What could not be read.
    notes: Vec<Fault>,
}

impl Deployed {
    /// Reads the topic. Whatever keeps it from that becomes a note: no service depends on it to run.
    pub(crate) async fn look(client: &ClientOptions, group: &str) -> Self {
        if client.is_embedded() {
            // Its services are those of this process, which see each other without it.
            return Self::default();
        }
        let read = tokio::time::timeout(PATIENCE, Self::read(client, group)).await;
        let why = match read {
            Ok(Ok(deployed)) => return deployed,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("the cluster took longer than {PATIENCE:?}"),
        };
        Self {
            notes: vec![Fault::new(
                "manifests-unseen",
                format!("what is deployed is not known: `{TOPIC}` cannot be read: {why}"),
                "grant the rights that `check --acls` prints, or say .publish_manifest(false)",
            )],
            ..Self::default()
        }
    }

    /// The same, however long it takes.
    pub(crate) async fn read(client: &ClientOptions, group: &str) -> Result<Self> {
        // No group is joined, and nothing is committed.
        let mut reader = Reader::connect(client, group).await?;
        let mut deployed = Self {
            missing: reader.partitions(TOPIC).is_none(),
            ..Self::default()
        };
        if deployed.missing {
            deployed.notes.push(missing(client));
        }
        if let Some(partition) = reader.leaderless(TOPIC).next() {
            return Err(Error::msg(format!(
                "the partition {TOPIC}/{partition} has no leader"
            )));
        }
        let spans = reader.spans(TOPIC).await?;
        let mut scan = reader.scan(&spans)?;
        while let Some(records) = scan.next().await? {
            for record in &records {
                let service = String::from_utf8_lossy(record.key().unwrap_or_default());
                match record.value() {
                    Some(value) => deployed
                        .records
                        .insert(service.into_owned(), value.to_owned()),
                    None => deployed.records.remove(&*service),
                };
            }
        }
        drop(scan);
        deployed.understand();
        Ok(deployed)
    }

    /// Makes manifests of the records.
    fn understand(&mut self) {
        let mut manifests = Vec::with_capacity(self.records.len());
        for (service, value) in &self.records {
            let place = format!("the manifest of `{service}` in `{TOPIC}`");
            let found = Manifest::read(&place, value)
                .map_err(|error| error.to_string())
                .and_then(|found| match <[Manifest; 1]>::try_from(found) {
                    Ok([one]) if one.service == *service => Ok(one),
                    _ => Err(format!("{place} is not that service's alone")),
                });
            match found {
                Ok(manifest) => manifests.push(manifest),
                Err(error) => self.notes.push(Fault::new(
                    "manifest-unreadable",
                    format!("{error}; it is left out of the checks"),
                    format!(
                        "start `{}` again, or let go of what it left: manifest --withdraw {}",
                        line(service),
                        shell(service)
                    ),
                )),
            }
        }
        self.company = Company::join(manifests);
    }

    /// The services that are deployed.
    pub(crate) fn manifests(&self) -> &[Manifest] {
        self.company.manifests()
    }

    /// What is not known of them.
    pub(crate) fn notes(&self) -> &[Fault] {
        &self.notes
    }

    /// Services of which there is a record, readable or not.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(String::as_str)
    }

    /// Whether there is a record of `service`, readable or not.
    pub(crate) fn knows(&self, service: &str) -> bool {
        self.records.contains_key(service)
    }

    /// Whether `manifest` is what its service has published last.
    fn holds(&self, manifest: &Manifest) -> bool {
        let known = self.records.get(&manifest.service);
        known.is_some_and(|known| *known == manifest.to_json().into_bytes())
    }
}

/// The record by which a service says what it is; without a manifest, that it is not deployed any more.
pub(crate) fn record(service: &str, manifest: Option<&Manifest>) -> Outgoing {
    let mut record = Outgoing::new(TOPIC);
    record.set_key(service.as_bytes());
    if let Some(manifest) = manifest {
        record.set_value(manifest.to_json().as_bytes());
        record.add_header("content-type", "application/json");
    }
    record
}

/// What the service may do without. `Create` where it makes its topics.
pub(crate) fn right(ensure: Option<Ensure>) -> Right {
    let mut operations = vec![Operation::Read, Operation::Write];
    operations.extend(ensure.map(|_| Operation::Create));
    Right {
        resource: Resource::Topic,
        name: TOPIC.to_owned(),
        operations,
    }
}

/// How the topic is made.
fn making() -> Making {
    Making {
        name: TOPIC.to_owned(),
        partitions: 1,
        settings: BTreeMap::from([
            ("cleanup.policy", "compact".to_owned()),
            ("max.message.bytes", LARGEST.to_string()),
            ("segment.bytes", SEGMENT.to_string()),
        ]),
    }
}

fn missing(client: &ClientOptions) -> Fault {
    let making = making();
    let settings = making.settings.iter();
    let settings: String = settings
        .map(|(name, value)| format!(" --config {name}={value}"))
        .collect();
    Fault::new(
        "manifests-missing",
        format!(
            "what is deployed is not known: the topic `{TOPIC}` does not exist, or this user may not see it"
        ),
        format!(
            "call `.ensure_topics(partitions, replication)`, say .publish_manifest(false), or run\n      kafka-topics.sh --bootstrap-server {} --create --topic {TOPIC} --partitions {}{settings}",
            shell(client.address().unwrap_or_default()),
            making.partitions,
        ),
    )
}
