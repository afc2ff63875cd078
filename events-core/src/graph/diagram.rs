//! The graph in the languages of drawing tools.

use std::fmt::Write as _;

use super::Graph;
use crate::escape;

impl Graph {
    /// A Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (event, topic) in &self.events {
            let (id, name, mut topic) = (node(event), label(event), label(topic));
            if let Some(instead) = self.deprecated.get(event) {
                let _ = write!(topic, "<br/>deprecated: {}", label(instead));
            }
            let _ = match self.owners.get(event) {
                None => writeln!(
                    text,
                    "    event_{id}([\"{name}<br/><small>{topic}</small>\"])"
                ),
                Some(owner) => writeln!(
                    text,
                    "    event_{id}{{{{\"{name}<br/><small>{topic}<br/>command of {}</small>\"}}}}",
                    label(owner)
                ),
            };
        }
        for edge in &self.handlers {
            let id = node(&edge.title());
            let _ = writeln!(text, "    handler_{id}[\"{}\"]", label(&edge.title()));
            for taken in &edge.takes {
                let _ = writeln!(text, "    event_{} --> handler_{id}", node(taken));
            }
            for emitted in &edge.emits {
                let arrow = if edge.fails_by(emitted) {
                    "-. failure .->"
                } else {
                    "-->"
                };
                let _ = writeln!(text, "    handler_{id} {arrow} event_{}", node(emitted));
            }
        }
        text
    }

    /// A Graphviz digraph.
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph choreography {\n    rankdir=LR;\n");
        for (event, topic) in &self.events {
            let (name, topic) = (quoted(event), quoted(topic));
            let (mut shape, mut label) = ("ellipse", event.clone());
            if let Some(owner) = self.owners.get(event) {
                shape = "hexagon";
                let _ = write!(label, ", command of {owner}");
            }
            if let Some(instead) = self.deprecated.get(event) {
                let _ = write!(label, ", deprecated: {instead}");
            }
            let label = match label == *event {
                true => String::new(),
                false => format!(", label={}", quoted(&label)),
            };
            let _ = writeln!(text, "    {name} [shape={shape}{label}, tooltip={topic}];");
        }
        for edge in &self.handlers {
            let title = quoted(&edge.title());
            let _ = writeln!(text, "    {title} [shape=box];");
            for taken in &edge.takes {
                let _ = writeln!(text, "    {} -> {title};", quoted(taken));
            }
            for emitted in &edge.emits {
                let style = if edge.fails_by(emitted) {
                    " [style=dashed, label=\"failure\"]"
                } else {
                    ""
                };
                let _ = writeln!(text, "    {title} -> {}{style};", quoted(emitted));
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

/// A name inside a Mermaid label. Names in manifests come from elsewhere.
fn label(name: &str) -> String {
    // `#` begins a character code there.
    let name = escape::line(name).replace('#', "#35;");
    name.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A string of the dot language.
fn quoted(name: &str) -> String {
    let name = escape::line(name);
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
