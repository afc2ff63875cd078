//! `topology`: who reacts to what.

use events_core::company::{Company, Finding, Limits};
use events_core::{Graph, Result};
use events_docs::{Picture, asyncapi};

use super::arguments::Format;
use super::manifest;
use super::output::{print, print_json};
use crate::services::Services;

/// What only the company can know: who else publishes, reads or owns an event.
const ELSEWHERE: [&str; 4] = [
    "unfed-handler",
    "unhandled-event",
    "unhandled-failure",
    "command-owner",
];

pub(super) fn show(services: &Services, format: Format, release: &str, json: bool) -> Result<()> {
    let graph = || Graph::of(&manifest::registry(services));
    let company = || Company::join(manifest::linked(services));
    let picture = || {
        let company = company();
        Picture::of(&company, &findings(&company))
    };
    match format {
        Format::Asyncapi => print_json(&asyncapi::document(&company(), release)),
        _ if json => print_json(&graph()),
        Format::Json => print_json(&graph()),
        Format::Text => print(&graph().to_text()),
        Format::Mermaid => print(&graph().to_mermaid()),
        Format::Dot => print(&graph().to_dot()),
        Format::Svg => print(&picture().to_svg()),
        Format::Html => print(&picture().to_html()),
    }
}

fn findings(company: &Company) -> Vec<Finding> {
    let mut findings = company.check(&Limits::default());
    findings.retain(|finding| !ELSEWHERE.contains(&finding.fault.code));
    findings
}
