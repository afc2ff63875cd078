//! Whether somebody else handles the commands that a service owns, as far as the cluster's consumer groups tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events_core::escape::shell;
use events_core::{Fault, Registry};
use events_runtime::GroupPlan;

use crate::error::KafkaError;
use crate::options::ClientOptions;
use crate::rights::{Operation, Resource, Right};
use crate::topics::{ANY_GROUP, Catalog, Groups};

/// The code of what cannot be seen.
const UNSEEN: &str = "owners-unseen";

/// The commands that a service owns and handles, and who may read them.
#[derive(Debug)]
pub(crate) struct Owned {
    service: String,
    /// Names of commands by their topics.
    topics: BTreeMap<&'static str, Vec<&'static str>>,
    /// Topics of these on which other events come too, which anybody may read.
    shared: BTreeSet<&'static str>,
    /// Groups that look on.
    observers: BTreeSet<String>,
}

/// What was found, and what could not be seen.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) faults: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
    pub(crate) notes: Vec<Fault>,
    /// How many partitions the service reads, if the cluster was asked.
    pub(crate) partitions: Option<usize>,
}

impl Found {
    pub(crate) fn add(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.warnings.extend(other.warnings);
        self.notes.extend(other.notes);
    }
}

impl Owned {
    pub(crate) fn of(service: &str, registry: &Registry, observers: &BTreeSet<String>) -> Self {
        let mut topics: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for handler in registry.handlers_of(service) {
            for command in handler.takes() {
                if command.owner == Some(service) {
                    let names = topics.entry(command.topic).or_default();
                    if !names.contains(&command.name) {
                        names.push(command.name);
                    }
                }
            }
        }
        let others = registry
            .events
            .iter()
            .filter(|event| event.owner != Some(service) && topics.contains_key(event.topic));
        Self {
            service: service.to_owned(),
            shared: others.map(|event| event.topic).collect(),
            topics,
            observers: observers.clone(),
        }
    }

    /// The right that is needed to see everybody. Nothing else comes of its lack.
    pub(crate) fn right(&self) -> Option<Right> {
        (!self.topics.is_empty()).then(|| Right {
            resource: Resource::Group,
            name: ANY_GROUP.to_owned(),
            operations: vec![Operation::Describe],
        })
    }

    /// Asks the cluster who reads the commands.
    pub(crate) async fn look(
        &self,
        plans: &[Arc<GroupPlan>],
        client: &ClientOptions,
    ) -> Result<Found, KafkaError> {
        if self.topics.is_empty() {
            return Ok(Found::default());
        }
        let mut found = Found::default();
        if client.is_embedded() {
            found.notes.push(self.embedded());
            return Ok(found);
        }
        let catalog = Catalog::connect(client)?;
        if catalog.is_embedded().await {
            found.notes.push(self.embedded());
        } else {
            let own = plans.iter().map(|plan| plan.group.clone());
            let known = own.chain([self.service.clone()]).collect();
            match catalog.groups(known).await {
                Ok(groups) => found = self.judge(&groups, client),
                Err(code) => {
                    let why = format!("the cluster does not list its consumer groups: {code}");
                    found.notes.push(self.unseen(
                        &why,
                        "ask again, or let `cargo events graph` compare the manifests",
                    ));
                }
            }
        }
        catalog.close();
        Ok(found)
    }

    /// The same beside the service's work: whatever was found is logged.
    pub(crate) async fn warn(&self, plans: &[Arc<GroupPlan>], client: &ClientOptions) {
        let service = &self.service;
        match self.faults(plans, client).await {
            Ok(faults) => {
                for Fault {
                    code,
                    message,
                    remedy,
                    ..
                } in faults
                {
                    tracing::warn!(service, code, "{message}; {remedy}");
                }
            }
            Err(error) => {
                tracing::info!(
                    service,
                    code = UNSEEN,
                    "whether somebody besides `{service}` handles its commands is not known: {error}; `check --broker` asks again"
                );
            }
        }
    }

    /// The same before a start: what could not be seen is logged.
    ///
    /// # Errors
    ///
    /// The cluster does not answer.
    pub(crate) async fn faults(
        &self,
        plans: &[Arc<GroupPlan>],
        client: &ClientOptions,
    ) -> Result<Vec<Fault>, KafkaError> {
        let found = self.look(plans, client).await?;
        for note in found.notes {
            let (message, remedy) = (note.message, note.remedy);
            tracing::info!(
                service = self.service,
                code = note.code,
                "{message}; {remedy}"
            );
        }
        Ok(found.faults)
    }

    fn judge(&self, groups: &Groups, client: &ClientOptions) -> Found {
        let mut found = Found::default();
        for (group, topics) in &groups.reading {
            if self.observers.contains(group) {
                continue;
            }
            for (topic, commands) in &self.topics {
                let Some(reading) = topics.get(*topic).filter(|_| !self.shared.contains(topic))
                else {
                    continue;
                };
                let what = match commands.as_slice() {
                    [command] => format!("the command `{command}`"),
                    several => format!("the commands `{}`", several.join("`, `")),
                };
                let service = &self.service;
                let (seen, remedy) = match reading.members {
                    0 => (
                        "has committed offsets of",
                        format!(
                            "if it handles them no more, let it forget them: kafka-consumer-groups.sh --bootstrap-server {} --delete-offsets --group {} --topic {}",
                            shell(client.address().unwrap_or_default()),
                            shell(group),
                            shell(topic),
                        ),
                    ),
                    _ => ("reads", "stop its handler".to_owned()),
                };
                found.faults.push(Fault::new(
                    "command-owner",
                    format!(
                        "the consumer group `{group}` {seen} `{topic}`, the topic of {what}, which `{service}` alone handles"
                    ),
                    format!(
                        "{remedy}; if it only looks on, as an archive does, say so: .allow_observers([{group:?}])"
                    ),
                ));
            }
        }
        if groups.hidden {
            let right = self.right().map(|right| {
                let address = client.address().unwrap_or_default();
                right.command(address, &client.principal(&self.service))
            });
            found.notes.push(self.unseen(
                "this user may not see all consumer groups",
                &format!("grant it by\n      {}", right.unwrap_or_default()),
            ));
        }
        if groups.silent > 0 {
            found.notes.push(self.unseen(
                &format!(
                    "{} of the cluster's consumer groups did not tell what they read",
                    groups.silent
                ),
                "ask again, or let `cargo events graph` compare the manifests",
            ));
        }
        for topic in &self.shared {
            found.notes.push(self.unseen(
                &format!(
                    "other events come on `{topic}` too, and whoever reads it may read it for those"
                ),
                "give its commands a topic of their own",
            ));
        }
        found
    }

    fn embedded(&self) -> Fault {
        self.unseen(
            "the embedded cluster does not tell which consumer groups there are",
            "set KAFKA_BOOTSTRAP_SERVERS, or let `cargo events graph` compare the manifests",
        )
    }

    fn unseen(&self, why: &str, remedy: &str) -> Fault {
        let service = &self.service;
        Fault::new(
            UNSEEN,
            format!(
                "whether somebody besides `{service}` handles its commands is not known: {why}"
            ),
            remedy,
        )
    }
}

#[cfg(test)]
mod tests;
