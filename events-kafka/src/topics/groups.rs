//! Which consumer groups read which topics.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::error::RDKafkaErrorCode;

use crate::ffi::PerGroup;

/// Whoever may see this group may see all: its name is the authorizer's wildcard.
pub(crate) const ANY_GROUP: &str = "*";

/// The consumer groups of the cluster, and which topics they read.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// By group and topic.
    pub(crate) reading: BTreeMap<String, BTreeMap<String, Reading>>,
    /// This user may not see all groups.
    pub(crate) hidden: bool,
    /// Groups that exist and did not tell.
    pub(crate) silent: usize,
}

/// How a group reads a topic.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Members that partitions of it are assigned to now.
    pub(crate) members: usize,
    pub(crate) committed: bool,
}

impl Groups {
    pub(super) fn of(
        names: &[&str],
        any: &PerGroup<BTreeMap<String, usize>>,
        assigned: &PerGroup<BTreeMap<String, usize>>,
        committed: &PerGroup<BTreeSet<String>>,
        more: bool,
    ) -> Self {
        let refused = |code: &RDKafkaErrorCode| *code == RDKafkaErrorCode::GroupAuthorizationFailed;
        let mut groups = Self {
            hidden: matches!(any.get(ANY_GROUP), Some(Err(code)) if refused(code)),
            silent: usize::from(more),
            ..Self::default()
        };
        for &name in names {
            let mut topics: BTreeMap<String, Reading> = BTreeMap::new();
            // A group that has just gone has nothing to tell.
            let gone = matches!(
                assigned.get(name),
                Some(Err(RDKafkaErrorCode::GroupIdNotFound))
            );
            match (assigned.get(name), committed.get(name)) {
                (Some(Ok(assigned)), Some(Ok(committed))) => {
                    for (topic, members) in assigned {
                        topics.entry(topic.clone()).or_default().members = *members;
                    }
                    for topic in committed {
                        topics.entry(topic.clone()).or_default().committed = true;
                    }
                }
                _ if gone => {}
                _ => groups.silent += 1,
            }
            if !topics.is_empty() {
                groups.reading.insert(name.to_owned(), topics);
            }
        }
        groups
    }
}
