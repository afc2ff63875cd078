//! `topology`: who reacts to what.

use events_core::{Graph, Registry, Result};

use super::arguments::Format;
use super::output::{print, print_json};
use crate::services::Services;

pub(super) fn show(services: &Services, format: Format, json: bool) -> Result<()> {
    // All services of a binary see the same registry, unless one was given its own.
    let registry = services
        .runtimes()
        .first()
        .map(|runtime| runtime.registry().clone());
    let graph = Graph::of(&registry.unwrap_or_else(Registry::linked));
    match format {
        _ if json => print_json(&graph),
        Format::Json => print_json(&graph),
        Format::Text => print(&graph.to_text()),
        Format::Mermaid => print(&graph.to_mermaid()),
        Format::Dot => print(&graph.to_dot()),
    }
}
