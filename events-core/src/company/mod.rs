//! Several services seen together: the company's graph, and what is wrong between them.
//!
//! A [`Company`] is joined from manifests. [`Company::check`] finds all faults at once, each with its remedy;
//! [`Company::changes`] says what a change of one service does to the others. Nothing here runs or connects.

mod baseline;
mod contracts;
mod finding;
mod reach;
mod schema;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

pub use finding::{Finding, Severity};
pub(crate) use reach::cycles;
pub use uses::{Reader, Use};

use crate::graph::{Edge, Graph};
use crate::manifest::{EventEntry, Manifest};

/// The services of a company, or of a binary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Company {
    /// Their manifests, by service, each service once.
    manifests: Vec<Manifest>,
    /// Services that different manifests describe.
    twice: BTreeSet<String>,
}

/// What a check takes for granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most handlers of one event type before the check warns.
    pub fan_out: usize,
    /// Event types that come from outside of the company: their handlers need no publisher here.
    pub entries: BTreeSet<String>,
}

impl Default for Limits {
    /// A fan-out of 20, and nothing from outside.
    fn default() -> Self {
        Self {
            fan_out: 20,
            entries: BTreeSet::new(),
        }
    }
}

impl Company {
    /// Joins manifests. Of several different ones of a service the first counts, and [`check`](Self::check) tells.
    pub fn join(manifests: impl IntoIterator<Item = Manifest>) -> Self {
        let mut company = Self::default();
        let mut known: BTreeMap<String, Manifest> = BTreeMap::new();
        for manifest in manifests {
            match known.get(&manifest.service) {
                Some(first) if *first != manifest => {
                    company.twice.insert(manifest.service);
                }
                Some(_) => {}
                None => {
                    known.insert(manifest.service.clone(), manifest);
                }
            }
        }
        company.manifests = known.into_values().collect();
        company
    }

    /// The manifests, by service.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Who reacts to what over all services. An event's topic is its publisher's.
    pub fn graph(&self) -> Graph {
        let mut handlers = Vec::new();
        let mut events = BTreeMap::new();
        let (mut owners, mut deprecated) = (BTreeMap::new(), BTreeMap::new());
        for (name, usage) in self.uses() {
            if let Some(entry) = usage.entry() {
                events.insert(name.to_owned(), entry.topic.clone());
                if let Some(owner) = &entry.owner {
                    owners.insert(name.to_owned(), owner.clone());
                }
                if let Some(instead) = &entry.deprecated {
                    deprecated.insert(name.to_owned(), instead.clone());
                }
            }
        }
        for manifest in &self.manifests {
            for handler in &manifest.handlers {
                handlers.push(Edge {
                    service: Some(manifest.service.clone()),
                    handler: handler.handler.clone(),
                    takes: handler.takes.clone(),
                    emits: handler.emits.clone(),
                    failures: handler.failures.clone(),
                    allow_cycle: handler.allow_cycle.clone(),
                });
            }
        }
        // A manifest that was written by hand may name events that it does not describe.
        for name in handlers
            .iter()
            .flat_map(|edge| edge.takes.iter().chain(&edge.emits))
        {
            if !events.contains_key(name) {
                events.insert(name.clone(), "?".to_owned());
            }
        }
        handlers.sort();
        Graph {
            handlers,
            events,
            owners,
            deprecated,
        }
    }

    /// Who publishes, reads and knows each event type, by its name.
    pub fn uses(&self) -> BTreeMap<&str, Use<'_>> {
        let mut uses: BTreeMap<&str, Use<'_>> = BTreeMap::new();
        for manifest in &self.manifests {
            for entry in &manifest.events {
                let known = &mut uses.entry(&entry.name).or_default().known;
                known.push((manifest.service.as_str(), entry));
            }
            for event in &manifest.publishes {
                uses.entry(event).or_default().publish(&manifest.service);
            }
            for handler in &manifest.handlers {
                let reader = Reader {
                    service: &manifest.service,
                    handler,
                };
                for event in &handler.takes {
                    uses.entry(event).or_default().readers.push(reader);
                }
                for event in &handler.emits {
                    let usage = uses.entry(event).or_default();
                    usage.publish(&manifest.service);
                    usage.emitters.push(reader);
                    usage.is_failure |= handler.failures.contains(event);
                }
            }
        }
        uses
    }

    /// Every fault between the services, the worst first.
    pub fn check(&self, limits: &Limits) -> Vec<Finding> {
        let mut findings = Vec::new();
        for service in &self.twice {
            findings.push(
                Finding::error(
                    "duplicate-service",
                    format!("two different manifests describe the service `{service}`"),
                    "give each service's newest manifest once; two services that share a name share a consumer group, so rename one",
                )
                .service(service),
            );
        }
        for (name, usage) in self.uses() {
            visit();
            reach::check(name, &usage, limits, &mut findings);
            contracts::check(name, &usage, &mut findings);
        }
        for fault in cycles(&self.graph()) {
            findings.push(Finding::of(Severity::Error, fault));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// What the change from `before` to this does to each service, the worst first.
    pub fn changes(&self, before: &Self) -> Vec<Finding> {
        let mut findings = Vec::new();
        baseline::compare(before, self, &mut findings);
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// The view of an event that counts: its publisher's newest, else any.
    pub fn event(&self, name: &str) -> Option<&EventEntry> {
        self.uses().remove(name)?.entry()
    }
}

/// Counts a step of the check, for the test that holds that its work grows with the company and not with its square.
fn visit() {
    #[cfg(test)]
    tests::VISITS.with(|visits| visits.set(visits.get() + 1));
}
