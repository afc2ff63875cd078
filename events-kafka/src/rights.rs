//! The least rights that a service needs of a cluster with an authorizer.

use std::collections::BTreeMap;
use std::sync::Arc;

use events_runtime::GroupPlan;
use serde::Serialize;

use crate::topics::Ensure;

/// What a right is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Resource {
    Cluster,
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
    DescribeConfigs,
}

/// What one principal must be allowed to do with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Right {
    pub(crate) resource: Resource,
    /// `kafka-cluster` for the cluster.
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
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
        for (topic, operation) in written.chain(read) {
            need(Resource::Topic, topic, operation);
            // The start compares how large records may be.
            need(Resource::Topic, topic, Operation::DescribeConfigs);
        }
        for parked in plan
            .topics
            .values()
            .filter_map(|topic| topic.parked.as_ref())
        {
            need(Resource::Topic, parked, Operation::Read);
            // Finished facts are deleted.
            need(Resource::Topic, parked, Operation::Delete);
            if ensure.is_some() {
                // It grows with its source.
                need(Resource::Topic, parked, Operation::Alter);
            }
        }
    }
    if ensure.is_some() {
        need(Resource::Cluster, "kafka-cluster", Operation::Create);
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

impl Right {
    /// The command that grants it.
    pub(crate) fn command(&self, address: &str, principal: &str) -> String {
        let operations: String = self
            .operations
            .iter()
            .map(|operation| format!(" --operation {operation:?}"))
            .collect();
        let resource = match self.resource {
            Resource::Cluster => "--cluster".to_owned(),
            Resource::Group => format!("--group '{}'", self.name),
            Resource::Topic => format!("--topic '{}'", self.name),
        };
        format!(
            "kafka-acls.sh --bootstrap-server {address} --add --allow-principal '{principal}'{operations} {resource}"
        )
    }
}
