//! The graph in the languages of drawing tools.

use std::fmt::Write as _;

use super::Graph;

impl Graph {
    /// A Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (event, topic) in &self.events {
            let (id, name, topic) = (node(event), label(event), label(topic));
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
            let _ = match self.owners.get(event) {
                None => writeln!(text, "    {name} [shape=ellipse, tooltip={topic}];"),
                Some(owner) => {
                    let label = quoted(&format!("{event}, command of {owner}"));
                    writeln!(
                        text,
                        "    {name} [shape=hexagon, label={label}, tooltip={topic}];"
                    )
                }
            };
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
    name.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A string of the dot language.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
