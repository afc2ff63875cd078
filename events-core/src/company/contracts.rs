//! Whether services mean the same by an event type: its topic, its schema, its versions, its owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::finding::Finding;
use super::uses::{Use, list};
use super::visit;
use crate::contract::{Break, fingerprint, reads, stands_in};
use crate::manifest::EventEntry;

/// Whether two schemas say something else of payloads.
pub(super) fn differ(one: &Value, other: &Value) -> bool {
    one != other && fingerprint(one) != fingerprint(other)
}

pub(super) fn check(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    topics(event, usage, findings);
    schemas(event, usage, findings);
    breaks(event, usage, findings);
    versions(event, usage, findings);
    owner(event, usage, findings);
}

/// The publishers' topic is where the event is; who reads elsewhere reads nothing.
fn topics(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    let mut written: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (service, entry) in &usage.known {
        visit();
        if usage.publishes(service) {
            written.entry(&entry.topic).or_default().push(service);
        }
    }
    if written.len() > 1 {
        let each: Vec<_> = written
            .iter()
            .map(|(topic, services)| format!("{} to `{topic}`", list(services)))
            .collect();
        findings.push(
            Finding::error(
                "different-topics",
                format!("`{event}` is published to different topics: {}", each.join(", ")),
                "an event type has one topic: declare it once, in a contract crate that all of them use",
            )
            .event(event),
        );
        return;
    }
    let Some((topic, _)) = written.first_key_value() else {
        return;
    };
    for (service, entry) in &usage.known {
        let readers = usage.readers_in(service);
        if entry.topic != *topic && !readers.is_empty() {
            findings.push(
                Finding::error(
                    "different-topics",
                    format!(
                        "{} waits for `{event}` on topic `{}`, but it is published to `{topic}`",
                        list(&readers),
                        entry.topic
                    ),
                    format!("build `{service}` with the contract crate that the publisher uses"),
                )
                .event(event)
                .service(service),
            );
        }
    }
}

/// A version has one schema.
fn schemas(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<u32, (&str, &EventEntry)> = BTreeMap::new();
    let mut apart: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    // Publishers first, so that who differs from what is written is told.
    let (writers, others): (Vec<_>, Vec<_>) = usage
        .known
        .iter()
        .partition(|(service, _)| usage.publishes(service));
    for (service, entry) in writers.into_iter().chain(others) {
        visit();
        let (_, known) = first.entry(entry.version).or_insert((service, entry));
        if differ(&known.schema, &entry.schema) {
            apart.entry(entry.version).or_default().push(service);
        }
    }
    for (version, services) in apart {
        let (one, _) = first[&version];
        let both = usage.publishes(one) && services.iter().any(|other| usage.publishes(other));
        findings.push(
            Finding::error(
                "different-schemas",
                format!(
                    "{}version {version} of `{event}` has one schema in `{one}` and another in {}",
                    if both { "published twice: " } else { "" },
                    list(&services)
                ),
                "declare the event once, in a contract crate that all of them use; if it changed, raise its version",
            )
            .event(event)
            .service(services[0]),
        );
    }
}

/// What one version writes, a reader of any other can read.
fn breaks(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    // Services that were built with the same version are compared above.
    let mut written: BTreeMap<u32, (&str, &Value)> = BTreeMap::new();
    for (service, entry) in &usage.known {
        if usage.publishes(service) {
            written
                .entry(entry.version)
                .or_insert((service, &entry.schema));
        }
    }
    let mut told: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (service, entry) in &usage.known {
        let readers = usage.readers_in(service);
        if readers.is_empty() {
            continue;
        }
        for (version, (writer, schema)) in &written {
            if *version == entry.version || !told.insert((*version, entry.version)) {
                continue;
            }
            visit();
            let Some(found) = entry.breaks(*version, schema).into_iter().next() else {
                continue;
            };
            let at = if found.at.is_empty() {
                "the payload"
            } else {
                &found.at
            };
            findings.push(
                Finding::error(
                    "schema-breaks-reader",
                    format!(
                        "`{writer}` writes version {version} of `{event}`, which {} cannot read as version {}: {at}: {}",
                        list(&readers),
                        entry.version,
                        found.why
                    ),
                    found.rule.remedy(),
                )
                .event(event)
                .service(service),
            );
        }
    }
}

impl EventEntry {
    /// What this build cannot read of what another writes as `version`. What its upcasters fill is not compared.
    pub(super) fn breaks(&self, version: u32, written: &Value) -> Vec<Break> {
        let mut breaks = reads(written, &self.schema);
        breaks.retain(|found| {
            let mut upcasts = self.upcasts.iter();
            !upcasts.any(|(field, since)| version < *since && stands_in(&found.at, field))
        });
        breaks
    }
}

fn versions(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    let written = usage
        .known
        .iter()
        .filter(|(service, _)| usage.publishes(service));
    let (mut newest, mut oldest) = (None, None);
    for (service, entry) in written {
        newest = newest.max(Some((entry.version, *service)));
        oldest = oldest.max(entry.oldest);
    }
    for (service, entry) in &usage.known {
        let readers = usage.readers_in(service);
        if readers.is_empty() {
            continue;
        }
        let known = entry.version;
        if let Some(oldest) = oldest.filter(|oldest| known < *oldest) {
            findings.push(
                Finding::error(
                    "reader-too-old",
                    format!(
                        "{} reads version {known} of `{event}`, but the oldest version that is kept is {oldest}",
                        list(&readers)
                    ),
                    format!("build `{service}` with version {oldest} of the event or a later one"),
                )
                .event(event)
                .service(service),
            );
        } else if let Some((written, writer)) = newest.filter(|(written, _)| known < *written) {
            findings.push(
                Finding::note(
                    "newer-writer",
                    format!(
                        "`{writer}` writes version {written} of `{event}`, and {} knows {known}: it reads what it knows of it",
                        list(&readers)
                    ),
                    format!("deploy readers before writers: build `{service}` with version {written}"),
                )
                .event(event)
                .service(service),
            );
        }
    }
}

/// A command has exactly one owner, and nobody else handles it.
fn owner(event: &str, usage: &Use<'_>, findings: &mut Vec<Finding>) {
    let mut owners: Vec<_> = usage
        .known
        .iter()
        .filter_map(|(_, entry)| entry.owner.as_deref())
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let owner = match owners.as_slice() {
        [] => return,
        [owner] => *owner,
        several => {
            findings.push(
                Finding::error(
                    "command-owner",
                    format!(
                        "the command `{event}` is said to belong to {}",
                        list(several)
                    ),
                    "declare it once, with one owner, in a contract crate that all of them use",
                )
                .event(event),
            );
            return;
        }
    };
    let remedy =
        format!("let `{owner}` alone handle it; what several services react to is an event");
    for reader in &usage.readers {
        if reader.service != owner {
            let message = format!(
                "the command `{event}` belongs to `{owner}`, but `{}` handles it too",
                reader.title()
            );
            findings.push(
                Finding::error("command-owner", message, remedy.clone())
                    .event(event)
                    .handler(Some(reader)),
            );
        }
    }
    if !usage.readers.iter().any(|reader| reader.service == owner) {
        findings.push(
            Finding::error(
                "command-unhandled",
                format!("the command `{event}` belongs to `{owner}`, which does not handle it"),
                format!("write its handler in `{owner}`, or give that service's manifest too"),
            )
            .event(event)
            .service(owner),
        );
    }
}
