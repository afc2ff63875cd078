//! The picture of a company.

use std::collections::BTreeMap;

use events_core::company::{Company, Finding, Severity, Use};
use events_core::manifest::{HandlerEntry, Manifest};

use super::{Kind, Lane, Link, Node, Picture, data};
use crate::escape::visible;
use crate::layout::{Item, Layout};
use crate::measure;

/// Pixels.
pub(crate) const NAME: f64 = 13.0;
pub(crate) const NOTE: f64 = 11.0;
pub(crate) const INSET: f64 = 16.0;
const HEIGHT: f64 = 48.0;
const NARROWEST: f64 = 112.0;
const WIDEST: f64 = 256.0;
/// What most fonts need of the widest one's width: their text stands `INSET` from the edge, the widest one's `LEAST`.
const USUAL: f64 = 0.84;
const LEAST: f64 = 5.0;
/// Names of services that fit into a title.
const IN_TITLE: usize = 3;

impl Picture {
    /// Lays a company out. `findings` are what was found wrong with it; they are listed, and marked where they belong.
    pub fn of(company: &Company, findings: &[Finding]) -> Self {
        let mut parts = Parts::default();
        let uses = company.uses();
        parts.lanes(company.manifests());
        for (name, usage) in &uses {
            parts.event(name, usage);
        }
        for manifest in company.manifests() {
            for handler in &manifest.handlers {
                parts.handler(&manifest.service, handler);
            }
        }
        let marks = parts.mark(findings);
        let items: Vec<_> = parts.nodes.iter().map(item).collect();
        let links: Vec<_> = parts
            .links
            .iter()
            .map(|link| (link.from, link.to))
            .collect();
        let layout = Layout::of(&items, parts.lanes.len(), &links);
        for (node, rect) in parts.nodes.iter_mut().zip(&layout.rects) {
            let room = match node.kind {
                // Its text begins there.
                Kind::Handler => rect.width - INSET - LEAST,
                Kind::Event | Kind::Command => rect.width - 2.0 * LEAST,
            };
            node.label = measure::fit(&node.name, NAME, room);
            node.note = measure::fit(&node.note, NOTE, room);
        }
        let title = title(company.manifests());
        let mut data = data::of(company, &uses, &parts, &title, &layout, findings, &marks);
        visible(&mut data);
        let Parts {
            lanes,
            nodes,
            links,
            ..
        } = parts;
        Self {
            title,
            lanes,
            nodes,
            links,
            layout,
            data,
        }
    }
}

fn item(node: &Node) -> Item {
    let text = measure::width(&node.name, NAME).max(measure::width(&node.note, NOTE));
    let ends = match node.kind {
        Kind::Handler => INSET + LEAST,
        Kind::Event | Kind::Command => 2.0 * LEAST,
    };
    Item {
        width: f64::max(text * USUAL + 2.0 * INSET, text + ends)
            .clamp(NARROWEST, WIDEST)
            .ceil(),
        height: HEIGHT,
        lane: node.lane,
    }
}

fn title(manifests: &[Manifest]) -> String {
    let names: Vec<_> = manifests
        .iter()
        .map(|manifest| manifest.service.as_str())
        .collect();
    match names.as_slice() {
        [] => "no services".to_owned(),
        few if few.len() <= IN_TITLE => few.join(", "),
        many => format!("{} services", many.len()),
    }
}

/// What a picture is made of, found by name.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) lanes: Vec<Lane>,
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    /// By service.
    pub(super) lane_of: BTreeMap<String, usize>,
    /// By name.
    pub(super) events: BTreeMap<String, usize>,
    /// By `service/handler`.
    pub(super) handlers: BTreeMap<String, usize>,
}

impl Parts {
    fn lanes(&mut self, manifests: &[Manifest]) {
        for manifest in manifests {
            self.lane_of
                .insert(manifest.service.clone(), self.lanes.len());
            self.lanes.push(Lane {
                name: manifest.service.clone(),
                outside: false,
            });
        }
    }

    fn outside(&mut self) -> usize {
        if let Some(lane) = self.lanes.iter().position(|lane| lane.outside) {
            return lane;
        }
        self.lanes.push(Lane {
            name: "outside".to_owned(),
            outside: true,
        });
        self.lanes.len() - 1
    }

    fn event(&mut self, name: &str, usage: &Use<'_>) {
        let publisher = usage
            .publishers
            .first()
            .and_then(|service| self.lane_of.get(*service));
        let lane = publisher.copied().unwrap_or_else(|| self.outside());
        let entry = usage.entry();
        let kind = match entry.and_then(|entry| entry.owner.as_ref()) {
            Some(_) => Kind::Command,
            None => Kind::Event,
        };
        let mut note = entry.map_or_else(
            || "described by nobody".to_owned(),
            |entry| format!("{} · v{}", entry.topic, entry.version),
        );
        if usage.is_failure {
            // In front, where a long topic does not cut it off: colour alone does not tell everybody.
            note.insert_str(0, "failure · ");
        }
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let readers = usage.readers.len();
        let spoken = format!(
            "{} {name}, {note}, published by {}, {readers} reader{}",
            kind.word(),
            match usage.publishers.as_slice() {
                [] => "nobody here".to_owned(),
                names => names.join(" and "),
            },
            plural(readers),
        );
        self.events.insert(name.to_owned(), self.nodes.len());
        self.nodes.push(Node {
            id: format!("e{}", self.events.len() - 1),
            kind,
            name: name.to_owned(),
            label: String::new(),
            note,
            spoken,
            lane,
            deprecated: entry.is_some_and(|entry| entry.deprecated.is_some()),
            failure: usage.is_failure,
            severity: None,
        });
    }

    fn handler(&mut self, service: &str, handler: &HandlerEntry) {
        let index = self.nodes.len();
        let title = format!("{service}/{}", handler.handler);
        let said = |events: &[String]| match events {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        };
        let spoken = format!(
            "handler {title}, takes {}, emits {}",
            said(&handler.takes),
            said(&handler.emits)
        );
        let file = handler
            .location
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default();
        let note = match file {
            "" => "handler",
            file => file,
        };
        self.nodes.push(Node {
            id: format!("h{}", self.handlers.len()),
            kind: Kind::Handler,
            name: handler.handler.clone(),
            label: String::new(),
            note: note.to_owned(),
            spoken,
            lane: self.lane_of[service],
            deprecated: false,
            failure: false,
            severity: None,
        });
        self.handlers.insert(title, index);
        let mut link = |from, to, failure| self.links.push(Link { from, to, failure });
        for event in &handler.takes {
            if let Some(event) = self.events.get(event) {
                link(*event, index, false);
            }
        }
        for event in &handler.emits {
            if let Some(to) = self.events.get(event) {
                link(index, *to, handler.failures.contains(event));
            }
        }
    }

    /// The nodes of each finding, which are marked with the worst of theirs.
    fn mark(&mut self, findings: &[Finding]) -> Vec<Vec<usize>> {
        let nodes = findings.iter().map(|finding| {
            let event = finding
                .event
                .as_ref()
                .and_then(|event| self.events.get(event));
            let handler = finding.handler.as_ref();
            let handler = handler.and_then(|handler| self.handlers.get(handler));
            let mut nodes: Vec<_> = event.into_iter().chain(handler).copied().collect();
            if nodes.is_empty() && finding.fault.code == "cycle" {
                nodes = self.on_the_way(&finding.fault.message);
            }
            nodes
        });
        let nodes: Vec<_> = nodes.collect();
        for (finding, nodes) in findings.iter().zip(&nodes) {
            for node in nodes {
                let marked = &mut self.nodes[*node].severity;
                // Errors come first in the order of severities.
                *marked =
                    Some(marked.map_or(finding.severity, |known| known.min(finding.severity)));
            }
        }
        nodes
    }

    /// A circle is told as `…: A → service/handler → B → … → A`.
    fn on_the_way(&self, message: &str) -> Vec<usize> {
        let way = message.split_once(": ").map_or("", |(_, way)| way);
        let known = |name: &str| self.events.get(name).or_else(|| self.handlers.get(name));
        let mut nodes: Vec<_> = way.split(" → ").filter_map(known).copied().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

/// The word for a class, and for a reader.
pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
