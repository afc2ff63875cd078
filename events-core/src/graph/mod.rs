//! The choreography graph: event → handler → event, known from signatures alone.

mod cycles;
mod diagram;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::handler::HandlerDescriptor;
use crate::registry::Registry;

/// Who reacts to what, over every service of a binary or, from manifests, of a company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// The handlers, sorted by service and name.
    pub handlers: Vec<Edge>,
    /// Topic of each event type, sorted by name.
    pub events: BTreeMap<String, String>,
    /// Which of them are commands, and who handles each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owners: BTreeMap<String, String>,
    /// What to use instead of those that are deprecated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deprecated: BTreeMap<String, String>,
}

/// A handler with what goes in and what comes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// The service; none if nothing claims the handler.
    pub service: Option<String>,
    /// The handler's name.
    pub handler: String,
    /// Event types taken.
    pub takes: Vec<String>,
    /// Event types that it can emit.
    pub emits: Vec<String>,
    /// Those of them that tell of a failure, which somebody has to make good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// Event types over which it may close a cycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_cycle: Vec<String>,
}

impl Edge {
    /// What a handler takes and emits.
    pub fn of(registry: &Registry, handler: &HandlerDescriptor) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let names = |events: Vec<&'static crate::EventDescriptor>| {
            owned(events.iter().map(|event| event.name).collect())
        };
        Self {
            service: registry.service_of(handler).map(str::to_owned),
            handler: handler.name.to_owned(),
            takes: names(handler.takes()),
            emits: names(handler.emits()),
            failures: names(handler.failures()),
            allow_cycle: owned(handler.options.allow_cycle.to_vec()),
        }
    }

    /// Whether the handler tells of a failure by `event`.
    fn fails_by(&self, event: &str) -> bool {
        self.failures.iter().any(|failure| failure == event)
    }

    /// `service/handler`, or the handler alone.
    pub fn title(&self) -> String {
        match &self.service {
            Some(service) => format!("{service}/{}", self.handler),
            None => self.handler.clone(),
        }
    }
}

impl Graph {
    /// Reads the graph from what is linked.
    pub fn of(registry: &Registry) -> Self {
        let mut events = BTreeMap::new();
        let (mut owners, mut deprecated) = (BTreeMap::new(), BTreeMap::new());
        let mut note = |event: &crate::EventDescriptor| {
            events.insert(event.name.to_owned(), event.topic.to_owned());
            if let Some(owner) = event.owner {
                owners.insert(event.name.to_owned(), owner.to_owned());
            }
            if let Some(instead) = event.deprecated {
                deprecated.insert(event.name.to_owned(), instead.to_owned());
            }
        };
        registry.events.iter().for_each(|event| note(event));
        let mut handlers = Vec::with_capacity(registry.handlers.len());
        for handler in &registry.handlers {
            handler.takes().iter().for_each(|event| note(event));
            handler.emits().iter().for_each(|event| note(event));
            handlers.push(Edge::of(registry, handler));
        }
        handlers.sort();
        Self {
            handlers,
            events,
            owners,
            deprecated,
        }
    }

    /// Event types that no handler here emits: where flows begin.
    pub fn edges_in(&self) -> Vec<&str> {
        let emitted: BTreeSet<_> = self.handlers.iter().flat_map(|edge| &edge.emits).collect();
        let events = self.events.keys();
        events
            .filter(|event| !emitted.contains(event))
            .map(String::as_str)
            .collect()
    }

    /// The handlers that take `event`.
    pub fn readers(&self, event: &str) -> impl Iterator<Item = &Edge> {
        self.handlers
            .iter()
            .filter(move |edge| edge.takes.iter().any(|taken| taken == event))
    }

    /// The handlers of each event that one takes: made once by what asks for many.
    pub(crate) fn by_taken(&self) -> BTreeMap<&str, Vec<&Edge>> {
        let mut by_taken: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
        for edge in &self.handlers {
            for taken in &edge.takes {
                by_taken.entry(taken).or_default().push(edge);
            }
        }
        by_taken
    }
}
