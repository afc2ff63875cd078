//! The topics that a service needs, known from its signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events_runtime::GroupPlan;

/// The topics that a service needs.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Read from or published to.
    pub(crate) events: BTreeSet<String>,
    /// Each dead-letter topic with the topics whose records may end there.
    pub(crate) letters: BTreeMap<String, BTreeSet<String>>,
    /// Each parked topic with the topic whose records wait there.
    pub(crate) parked: BTreeMap<String, String>,
}

impl Wanted {
    pub(crate) fn by(plans: &[Arc<GroupPlan>]) -> Self {
        let mut wanted = Self::default();
        for plan in plans {
            let parked = plan.topics.values();
            let parked: BTreeMap<_, _> = parked
                .filter_map(|topic| Some((topic.parked.clone()?, topic.topic.clone())))
                .collect();
            let events = plan
                .topics
                .keys()
                .chain(&plan.publishes)
                .filter(|topic| **topic != plan.dead_letters && !parked.contains_key(*topic));
            let events: BTreeSet<_> = events.cloned().collect();
            // A refused emission is dead-lettered beside its record, so what is published counts too.
            wanted
                .letters
                .entry(plan.dead_letters.clone())
                .or_default()
                .extend(events.iter().cloned());
            wanted.events.extend(events);
            wanted.parked.extend(parked);
        }
        wanted
    }

    /// All of them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let letters = self
            .letters
            .keys()
            .filter(|letters| !self.events.contains(*letters));
        let parked = self.parked.keys();
        let all = self.events.iter().chain(letters).chain(parked);
        all.map(String::as_str)
    }
}
