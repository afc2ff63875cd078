//! The least rights that a service needs of a cluster with an authorizer.

mod lack;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use events_core::escape::shell;
use events_runtime::GroupPlan;
use serde::Serialize;

use crate::topics::Ensure;

pub(crate) use lack::{Lack, lacking};
pub(crate) use watch::Watch;

/// What a right is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Resource {
    Group,
    Topic,
}

/// An operation of Kafka's authorizer. Reading and writing imply `Describe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Operation {
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    DescribeConfigs,
}

/// What one principal must be allowed to do with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Right {
    pub(crate) resource: Resource,
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
}

impl Operation {
    /// Whether it implies the right to see the resource.
    fn shows(self) -> bool {
        !matches!(self, Self::Create | Self::DescribeConfigs)
    }

    /// Its number in the protocol.
    fn code(self) -> u32 {
        match self {
            Self::Read => 3,
            Self::Write => 4,
            Self::Create => 5,
            Self::Delete => 6,
            Self::Alter => 7,
            Self::Describe => 8,
            Self::DescribeConfigs => 10,
        }
    }
}

/// All rights of a service.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) needed: Vec<Right>,
    /// To see which groups there are; none where it handles no commands.
    pub(crate) sees_owners: Option<Right>,
    /// To say to others what it is, and to read what they are.
    pub(crate) manifests: Option<Right>,
    /// To read the dead letters of each of its groups.
    pub(crate) letters: Vec<Right>,
}

/// The least rights of a service.
pub(crate) fn of(plans: &[Arc<GroupPlan>], ensure: Option<Ensure>) -> Vec<Right> {
    let mut rights: BTreeMap<(Resource, String), Vec<Operation>> = BTreeMap::new();
    let mut need = |resource, name: &str, operation| {
        let operations = rights.entry((resource, name.to_owned())).or_default();
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    };
    for plan in plans {
        need(Resource::Group, &plan.group, Operation::Read);
        let written = plan.publishes.iter().map(|topic| (topic, Operation::Write));
        let read = plan.topics.keys().map(|topic| (topic, Operation::Read));
        let parked = plan
            .topics
            .values()
            .filter_map(|topic| topic.parked.as_ref());
        let parked = parked.flat_map(|parked| {
            // Finished facts are deleted, and the topic grows with its source, whoever made it.
            let operations = [
                Operation::Read,
                Operation::Write,
                Operation::Delete,
                Operation::Alter,
            ];
            operations.map(|operation| (parked, operation))
        });
        for (topic, operation) in written.chain(read).chain(parked) {
            need(Resource::Topic, topic, operation);
            // The start compares how large records may be.
            need(Resource::Topic, topic, Operation::DescribeConfigs);
            if ensure.is_some() {
                need(Resource::Topic, topic, Operation::Create);
            }
        }
    }
    rights
        .into_iter()
        .map(|((resource, name), mut operations)| {
            operations.sort();
            Right {
                resource,
                name,
                operations,
            }
        })
        .collect()
}

/// The rights to read what was given up.
pub(crate) fn letters(plans: &[Arc<GroupPlan>]) -> Vec<Right> {
    let names = plans.iter().filter(|plan| !plan.topics.is_empty());
    let names: BTreeSet<_> = names.map(|plan| &plan.dead_letters).collect();
    let read = |name: &String| Right {
        resource: Resource::Topic,
        name: name.clone(),
        operations: vec![Operation::Read],
    };
    names.into_iter().map(read).collect()
}

impl Right {
    /// The command that grants it.
    pub(crate) fn command(&self, address: &str, principal: &str) -> String {
        let operations: String = self
            .operations
            .iter()
            .map(|operation| format!(" --operation {operation:?}"))
            .collect();
        let resource = match self.resource {
            Resource::Group => format!("--group {}", shell(&self.name)),
            Resource::Topic => format!("--topic {}", shell(&self.name)),
        };
        format!(
            "kafka-acls.sh --bootstrap-server {} --add --allow-principal {}{operations} {resource}",
            shell(address),
            shell(principal)
        )
    }
}

/// `Read and DescribeConfigs the topic `orders``.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operation) in self.operations.iter().enumerate() {
            let before = match index {
                0 => "",
                _ if index + 1 == self.operations.len() => " and ",
                _ => ", ",
            };
            write!(f, "{before}{operation:?}")?;
        }
        match self.resource {
            Resource::Group => write!(f, " the consumer group `{}`", self.name),
            Resource::Topic => write!(f, " the topic `{}`", self.name),
        }
    }
}
