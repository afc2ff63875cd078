//! `topology`: who reacts to what.

use events_core::company::{Company, Finding, Limits};
use events_core::{Graph, Result};
use events_docs::{Picture, asyncapi};

use super::arguments::Format;
use super::manifest;
use super::output::{print, print_document, print_json};
use crate::services::Services;

/// What only the company can know: who else publishes, reads or owns an event.
const ELSEWHERE: [&str; 4] = [
    "unfed-handler",
    "unhandled-event",
    "unhandled-failure",
    "command-unhandled",
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
        Format::Mermaid => print_document(&graph().to_mermaid()),
        Format::Dot => print_document(&graph().to_dot()),
        Format::Svg => print_document(&picture().to_svg()),
        Format::Html => print_document(&picture().to_html()),
    }
}

fn findings(company: &Company) -> Vec<Finding> {
    let mut findings = company.check(&Limits::default());
    findings.retain(|finding| !ELSEWHERE.contains(&finding.fault.code));
    findings
}

#[cfg(test)]
mod tests {
    use events_core::manifest::{EventEntry, HandlerEntry, Manifest};

    use super::*;

    /// Two services of one binary, of which one sends a command.
    fn binary(owner: &str) -> Company {
        let text =
            r#"[{ "manifest": 1, "service": "desk" }, { "manifest": 1, "service": "yard" }]"#;
        let mut manifests = Manifest::read("binary.json", text.as_bytes()).unwrap();
        let load = EventEntry {
            name: "Load".to_owned(),
            version: 1,
            topic: "dock.load".to_owned(),
            owner: Some(owner.to_owned()),
            ..EventEntry::default()
        };
        for manifest in &mut manifests {
            manifest.events.push(load.clone());
        }
        manifests[0].publishes.push("Load".to_owned());
        Company::join(manifests)
    }

    #[test]
    fn only_what_this_binary_can_know_is_marked() {
        assert_eq!(findings(&binary("dock")), [], "the dock is elsewhere");
        let company = binary("dock");
        let mut manifests = company.manifests().to_vec();
        manifests[1].handlers.push(HandlerEntry {
            handler: "steal".to_owned(),
            takes: vec!["Load".to_owned()],
            ..HandlerEntry::default()
        });
        let found = findings(&Company::join(manifests));
        assert_eq!((found.len(), found[0].fault.code), (1, "command-owner"));
    }
}
