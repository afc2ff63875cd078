//! The graph as a tree that a person reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Edge, Graph};
use crate::escape::line;

/// What is drawn so far.
struct Tree<'a> {
    graph: &'a Graph,
    by_taken: BTreeMap<&'a str, Vec<&'a Edge>>,
    shown: BTreeSet<&'a str>,
    text: String,
}

impl Graph {
    /// A tree that a person reads: each flow from its first event on.
    pub fn to_text(&self) -> String {
        let mut tree = Tree {
            graph: self,
            by_taken: self.by_taken(),
            shown: BTreeSet::new(),
            text: String::new(),
        };
        for root in self.edges_in() {
            tree.branch(root, 0, "");
        }
        // What is left is part of cycles that no flow from outside reaches: begin anywhere.
        for event in self.events.keys() {
            if !tree.shown.contains(event.as_str()) {
                tree.branch(event, 0, "");
            }
        }
        tree.text
    }
}

impl<'a> Tree<'a> {
    /// `failure` stands behind an event by which the handler above tells of one.
    fn branch(&mut self, event: &'a str, depth: usize, failure: &str) {
        let indent = "    ".repeat(depth);
        let topic = self.graph.events.get(event).map_or("?", String::as_str);
        let readers = self.by_taken.get(event).cloned().unwrap_or_default();
        let first = self.shown.insert(event);
        let again = if first || readers.is_empty() {
            ""
        } else {
            "  (see above)"
        };
        let owner = match self.graph.owners.get(event) {
            Some(owner) => format!("  command of {}", line(owner)),
            None => String::new(),
        };
        let deprecated = match self.graph.deprecated.get(event) {
            Some(instead) => format!("  deprecated: {}", line(instead)),
            None => String::new(),
        };
        let _ = writeln!(
            self.text,
            "{indent}{}  [{}]{failure}{owner}{deprecated}{again}",
            line(event),
            line(topic)
        );
        if !first {
            return;
        }
        for edge in readers {
            let _ = writeln!(self.text, "{indent}  └─ {}", line(&edge.title()));
            for emitted in &edge.emits {
                let failure = if edge.fails_by(emitted) {
                    "  ✗ failure"
                } else {
                    ""
                };
                self.branch(emitted, depth + 1, failure);
            }
        }
    }
}
