//! What the page tells, as JSON for its script.

use std::collections::BTreeMap;

use events_core::company::{Company, Finding, Reader, Use};
use events_core::manifest::{HandlerEntry, Manifest};
use serde_json::{Map, Value, json};

use crate::layout::Layout;

use super::build::{Parts, severity};

/// Nodes are named by their ids throughout.
pub(super) fn of(
    company: &Company,
    uses: &BTreeMap<&str, Use<'_>>,
    parts: &Parts,
    title: &str,
    layout: &Layout,
    findings: &[Finding],
    marks: &[Vec<usize>],
) -> Value {
    let names = Names(parts);
    let mut nodes = Map::new();
    for (name, usage) in uses {
        if let Some(index) = parts.events.get(*name) {
            nodes.insert(parts.nodes[*index].id.clone(), names.event(*index, usage));
        }
    }
    for manifest in company.manifests() {
        for handler in &manifest.handlers {
            let index = parts.handlers[&format!("{}/{}", manifest.service, handler.handler)];
            let told = names.handler(index, &manifest.service, handler);
            nodes.insert(parts.nodes[index].id.clone(), told);
        }
    }
    let services: Vec<_> = company
        .manifests()
        .iter()
        .map(|manifest| names.service(manifest))
        .collect();
    let findings = findings.iter().zip(marks).map(|(finding, marked)| {
        json!({
            "severity": severity(finding.severity),
            "code": finding.fault.code,
            "message": finding.fault.message,
            "remedy": finding.fault.remedy,
            "service": finding.service,
            "location": finding.location,
            "nodes": marked.iter().map(|node| &parts.nodes[*node].id).collect::<Vec<_>>(),
        })
    });
    let lanes = layout.lanes.iter().map(|index| {
        let (lane, band) = (&parts.lanes[*index], layout.bands[*index]);
        json!({ "name": lane.name, "outside": lane.outside, "y": band.y, "height": band.height })
    });
    json!({
        "title": title,
        "lanes": lanes.collect::<Vec<_>>(),
        "services": services,
        "nodes": nodes,
        "findings": findings.collect::<Vec<_>>(),
    })
}

struct Names<'a>(&'a Parts);

impl<'a> Names<'a> {
    fn events(&self, names: &[String]) -> Vec<&'a str> {
        let known = names.iter().filter_map(|name| self.0.events.get(name));
        known
            .map(|index| self.0.nodes[*index].id.as_str())
            .collect()
    }

    fn readers(&self, readers: &[Reader<'_>]) -> Vec<&'a str> {
        let known = readers
            .iter()
            .filter_map(|reader| self.0.handlers.get(&reader.title()));
        known
            .map(|index| self.0.nodes[*index].id.as_str())
            .collect()
    }

    fn event(&self, index: usize, usage: &Use<'_>) -> Value {
        let node = &self.0.nodes[index];
        let entry = usage.entry().cloned().unwrap_or_default();
        let mut versions: Vec<_> = entry
            .versions
            .iter()
            .filter(|(version, _)| **version != entry.version)
            .map(|(version, schema)| json!({ "version": version, "schema": schema }))
            .collect();
        versions.push(json!({ "version": entry.version, "schema": entry.schema }));
        let seen = usage
            .known
            .iter()
            .map(|(service, entry)| json!({ "service": service, "version": entry.version }));
        json!({
            "kind": node.kind.word(),
            "name": node.name,
            "doc": entry.doc,
            "topic": entry.topic,
            "version": entry.version,
            "oldest": entry.oldest,
            "key": entry.key,
            "contentType": entry.content_type,
            "owner": entry.owner,
            "deprecated": entry.deprecated,
            "failure": node.failure,
            "versions": versions,
            "publishers": usage.publishers,
            "emitters": self.readers(&usage.emitters),
            "readers": self.readers(&usage.readers),
            "seen": seen.collect::<Vec<_>>(),
        })
    }

    fn handler(&self, index: usize, service: &str, handler: &HandlerEntry) -> Value {
        json!({
            "kind": "handler",
            "name": self.0.nodes[index].name,
            "service": service,
            "doc": handler.doc,
            "group": handler.group,
            "location": handler.location,
            "package": handler.package,
            "takes": self.events(&handler.takes),
            "emits": self.events(&handler.emits),
            "failures": self.events(&handler.failures),
            "allowCycle": handler.allow_cycle,
            "policy": handler.policy,
        })
    }

    fn service(&self, manifest: &Manifest) -> Value {
        let handlers = manifest.handlers.iter().map(|handler| {
            let index = self.0.handlers[&format!("{}/{}", manifest.service, handler.handler)];
            &self.0.nodes[index].id
        });
        let emitted = self.0.nodes.iter().filter(|node| {
            node.kind != super::Kind::Handler
                && Some(&node.lane) == self.0.lane_of.get(&manifest.service)
        });
        let topics = manifest.topics.iter().map(
            |topic| json!({ "name": topic.name, "reads": topic.reads, "writes": topic.writes }),
        );
        json!({
            "name": manifest.service,
            "framework": manifest.framework,
            "handlers": handlers.collect::<Vec<_>>(),
            "events": emitted.map(|node| &node.id).collect::<Vec<_>>(),
            "edge": self.events(&manifest.publishes),
            "groups": manifest.groups.iter().map(|group| &group.name).collect::<Vec<_>>(),
            "topics": topics.collect::<Vec<_>>(),
        })
    }
}
