//! A manifest from what is linked.

use std::collections::BTreeMap;

use super::{
    EventEntry, FORMAT, GroupEntry, HandlerEntry, Manifest, Policy, Publication, TopicEntry,
};
use crate::contract::Contract;
use crate::event::EventDescriptor;
use crate::graph::Edge;
use crate::handler::HandlerDescriptor;
use crate::registry::Registry;

impl Manifest {
    /// Describes `service` from what is linked, without running or connecting.
    ///
    /// `policy` says how a handler runs under the service's settings. A publication that no service claims belongs to
    /// this one if the binary names no service.
    pub fn of(
        registry: &Registry,
        publications: &[Publication],
        service: &str,
        policy: impl Fn(&HandlerDescriptor) -> Option<Policy>,
    ) -> Self {
        let mut gathered = Gathered::default();
        let mut handlers = Vec::new();
        for handler in registry.handlers_of(service) {
            handlers.push(gathered.handler(registry, service, handler, policy(handler)));
        }
        handlers.sort_by(|one, other| one.handler.cmp(&other.handler));
        let unnamed = registry.services().is_empty();
        let mut publishes = Vec::new();
        for publication in publications {
            let owner = publication.service_in(registry);
            if owner.map_or(unnamed, |owner| owner == service) {
                publishes.push(publication.event.name.to_owned());
                gathered.event(publication.event).writes = true;
            }
        }
        publishes.sort();
        publishes.dedup();
        Self {
            format: FORMAT,
            service: service.to_owned(),
            framework: concat!("events ", env!("CARGO_PKG_VERSION")).to_owned(),
            handlers,
            publishes,
            events: gathered.events.into_values().map(EventEntry::of).collect(),
            topics: gathered.topics.into_values().collect(),
            groups: gathered.groups.into_values().collect(),
        }
    }
}

impl EventEntry {
    fn of(event: &'static EventDescriptor) -> Self {
        // A lock that cannot be read is for the compiler and `contracts check` to tell.
        let lock = Contract::read(event.location, event.locked).ok();
        let released = lock.iter().flat_map(Contract::released);
        let versions: BTreeMap<_, _> = released
            .filter(|known| known.version <= event.version)
            .map(|known| (known.version, &known.schema))
            .collect();
        Self {
            name: event.name.to_owned(),
            version: event.version,
            oldest: versions.keys().next().copied(),
            topic: event.topic.to_owned(),
            owner: event.owner.map(str::to_owned),
            key: event.key.iter().map(|&field| field.to_owned()).collect(),
            content_type: event.content_type.to_owned(),
            topic_exclusive: event.topic_exclusive,
            topic_default: event.topic_default,
            deprecated: event.deprecated.map(str::to_owned),
            doc: event.doc.trim().to_owned(),
            schema: (event.schema)(),
            versions: versions
                .into_iter()
                .filter(|(version, _)| *version < event.version)
                .map(|(version, schema)| (version, schema.clone()))
                .collect(),
        }
    }
}

#[derive(Default)]
struct Gathered {
    events: BTreeMap<&'static str, &'static EventDescriptor>,
    topics: BTreeMap<&'static str, TopicEntry>,
    groups: BTreeMap<String, GroupEntry>,
}

impl Gathered {
    fn event(&mut self, event: &'static EventDescriptor) -> &mut TopicEntry {
        self.events.insert(event.name, event);
        let topic = self.topics.entry(event.topic).or_default();
        event.topic.clone_into(&mut topic.name);
        insert(&mut topic.events, event.name);
        topic
    }

    fn handler(
        &mut self,
        registry: &Registry,
        service: &str,
        handler: &HandlerDescriptor,
        policy: Option<Policy>,
    ) -> HandlerEntry {
        let name = handler.options.group.unwrap_or(service);
        let group = self.groups.entry(name.to_owned()).or_default();
        name.clone_into(&mut group.name);
        insert(&mut group.handlers, handler.name);
        for event in handler.takes() {
            insert(&mut group.topics, event.topic);
        }
        for event in handler.takes() {
            self.event(event).reads = true;
        }
        for event in handler.emits() {
            self.event(event).writes = true;
        }
        let edge = Edge::of(registry, handler);
        HandlerEntry {
            handler: edge.handler,
            group: name.to_owned(),
            takes: edge.takes,
            emits: edge.emits,
            failures: edge.failures,
            allow_cycle: edge.allow_cycle,
            location: handler.location.to_owned(),
            package: handler.package.to_owned(),
            doc: handler.doc.trim().to_owned(),
            policy,
        }
    }
}

/// Keeps a list sorted, with each name once.
fn insert(names: &mut Vec<String>, name: &str) {
    if let Err(place) = names.binary_search_by(|known| known.as_str().cmp(name)) {
        names.insert(place, name.to_owned());
    }
}
