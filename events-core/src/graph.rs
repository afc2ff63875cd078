//! The choreography graph: event → handler → event, known from signatures alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::registry::Registry;

/// Who reacts to what, over every service of a binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The handlers, sorted by service and name.
    pub handlers: Vec<Edge>,
    /// Topic of each event type, sorted by name.
    pub events: BTreeMap<&'static str, &'static str>,
}

/// A handler with what goes in and what comes out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The service; none if nothing claims the handler.
    pub service: Option<&'static str>,
    /// The handler's name.
    pub handler: &'static str,
    /// Event types taken.
    pub takes: Vec<&'static str>,
    /// Event types that it can emit.
    pub emits: Vec<&'static str>,
    /// Event types over which it may close a cycle.
    #[serde(skip)]
    pub allow_cycle: &'static [&'static str],
}

impl Edge {
    /// `service/handler`, or the handler alone.
    pub fn title(&self) -> String {
        match self.service {
            Some(service) => format!("{service}/{}", self.handler),
            None => self.handler.to_owned(),
        }
    }
}

impl Graph {
    /// Reads the graph from what is linked.
    pub fn of(registry: &Registry) -> Self {
        let mut events = BTreeMap::new();
        events.extend(
            registry
                .events
                .iter()
                .map(|event| (event.name, event.topic)),
        );
        let mut handlers: Vec<_> = registry
            .handlers
            .iter()
            .map(|handler| {
                let (takes, emits) = (handler.takes(), handler.emits());
                for event in takes.iter().chain(&emits) {
                    events.insert(event.name, event.topic);
                }
                Edge {
                    service: registry.service_of(handler),
                    handler: handler.name,
                    takes: takes.iter().map(|event| event.name).collect(),
                    emits: emits.iter().map(|event| event.name).collect(),
                    allow_cycle: handler.options.allow_cycle,
                }
            })
            .collect();
        handlers.sort();
        Self { handlers, events }
    }

    /// Event types that no handler here emits: where flows begin.
    pub fn edges_in(&self) -> Vec<&'static str> {
        let emitted: BTreeSet<_> = self.handlers.iter().flat_map(|edge| &edge.emits).collect();
        let taken = self.events.keys().copied();
        taken.filter(|event| !emitted.contains(event)).collect()
    }

    /// The handlers that take `event`.
    pub fn readers(&self, event: &str) -> impl Iterator<Item = &Edge> {
        self.handlers
            .iter()
            .filter(move |edge| edge.takes.contains(&event))
    }

    /// Every way round the graph that no handler allows, as `A → handler → B → … → A`; each cycle once.
    pub fn cycles(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut finished = BTreeSet::new();
        for event in self.events.keys() {
            self.walk(event, &mut Vec::new(), &mut finished, &mut found);
        }
        found.into_iter().collect()
    }

    fn walk<'a>(
        &'a self,
        event: &'a str,
        path: &mut Vec<(&'a str, &'a Edge)>,
        finished: &mut BTreeSet<&'a str>,
        found: &mut BTreeSet<String>,
    ) {
        if let Some(start) = path.iter().position(|(passed, _)| *passed == event) {
            found.insert(describe(&path[start..]));
            return;
        }
        if finished.contains(event) {
            return;
        }
        for edge in self.readers(event) {
            for emitted in &edge.emits {
                if edge.allow_cycle.contains(emitted) {
                    continue;
                }
                path.push((event, edge));
                self.walk(emitted, path, finished, found);
                path.pop();
            }
        }
        finished.insert(event);
    }

    /// A tree that a person reads: each flow from its first event on.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut roots = self.edges_in();
        if roots.is_empty() {
            // Everything is part of a cycle: begin anywhere.
            roots.extend(self.events.keys().next().copied());
        }
        let mut shown = BTreeSet::new();
        for root in roots {
            self.branch(root, 0, &mut shown, &mut text);
        }
        text
    }

    fn branch(
        &self,
        event: &'static str,
        depth: usize,
        shown: &mut BTreeSet<&'static str>,
        text: &mut String,
    ) {
        let indent = "    ".repeat(depth);
        let topic = self.events.get(event).copied().unwrap_or("?");
        let first = shown.insert(event);
        let again = if first || self.readers(event).next().is_none() {
            ""
        } else {
            "  (see above)"
        };
        let _ = writeln!(text, "{indent}{event}  [{topic}]{again}");
        if !first {
            return;
        }
        for edge in self.readers(event) {
            let _ = writeln!(text, "{indent}  └─ {}", edge.title());
            for emitted in &edge.emits {
                self.branch(emitted, depth + 1, shown, text);
            }
        }
    }

    /// A Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (event, topic) in &self.events {
            let _ = writeln!(
                text,
                "    event_{}([\"{event}<br/><small>{topic}</small>\"])",
                node(event)
            );
        }
        for edge in &self.handlers {
            let id = node(&edge.title());
            let _ = writeln!(text, "    handler_{id}[\"{}\"]", edge.title());
            for taken in &edge.takes {
                let _ = writeln!(text, "    event_{} --> handler_{id}", node(taken));
            }
            for emitted in &edge.emits {
                let _ = writeln!(text, "    handler_{id} --> event_{}", node(emitted));
            }
        }
        text
    }

    /// A Graphviz digraph.
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph choreography {\n    rankdir=LR;\n");
        for (event, topic) in &self.events {
            let _ = writeln!(
                text,
                "    \"{event}\" [shape=ellipse, tooltip=\"{topic}\"];"
            );
        }
        for edge in &self.handlers {
            let title = edge.title();
            let _ = writeln!(text, "    \"{title}\" [shape=box];");
            for taken in &edge.takes {
                let _ = writeln!(text, "    \"{taken}\" -> \"{title}\";");
            }
            for emitted in &edge.emits {
                let _ = writeln!(text, "    \"{title}\" -> \"{emitted}\";");
            }
        }
        text.push_str("}\n");
        text
    }
}

/// An identifier that Mermaid takes, different for different names.
fn node(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            id.push(character);
        } else {
            let _ = write!(id, "_{:x}_", u32::from(character));
        }
    }
    id
}

/// Begins a cycle at its smallest event, so that one cycle has one description.
fn describe(path: &[(&str, &Edge)]) -> String {
    let first = (0..path.len())
        .min_by_key(|index| path[*index].0)
        .unwrap_or(0);
    let mut text = String::new();
    for index in 0..path.len() {
        let (event, edge) = path[(first + index) % path.len()];
        let _ = write!(text, "{event} → {} → ", edge.title());
    }
    text + path[first].0
}
