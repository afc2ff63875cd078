//! Who reaches whom: events that nobody handles, handlers that nobody feeds, fan-out, circles.

use super::finding::Finding;
use super::uses::{Use, list, titles};
use super::{Limits, visit};
use crate::check::Fault;
use crate::graph::Graph;

/// Findings that a service which is not there yet may put right.
pub(super) const ABSENCES: [&str; 3] = ["unfed-handler", "unhandled-failure", "command-unhandled"];

pub(super) fn check(event: &str, usage: &Use<'_>, limits: &Limits, findings: &mut Vec<Finding>) {
    if usage.readers.is_empty() {
        findings.extend(unhandled(event, usage));
    }
    if usage.publishers.is_empty() && !limits.entries.contains(event) {
        for reader in &usage.readers {
            visit();
            findings.push(
                Finding::error(
                    "unfed-handler",
                    format!("nobody publishes `{event}`, which `{}` waits for", reader.title()),
                    "if an edge of a service publishes it, say so there: events_core::publishes!(…); if it comes from outside, say --entry; if its manifest is missing, give it too; else remove the handler",
                )
                .event(event)
                .handler(Some(reader)),
            );
        }
    }
    if usage.readers.len() > limits.fan_out {
        findings.push(
            Finding::warning(
                "fan-out",
                format!(
                    "`{event}` has {} handlers, more than {}: {}",
                    usage.readers.len(),
                    limits.fan_out,
                    list(&titles(&usage.readers))
                ),
                "give parts of them an event of their own that says what they really wait for, or raise --fan-out",
            )
            .event(event),
        );
    }
}

fn unhandled(event: &str, usage: &Use<'_>) -> Option<Finding> {
    let first = usage.emitters.first();
    let by = match usage.emitters.as_slice() {
        [] => list(&usage.publishers),
        emitters => list(&titles(emitters)),
    };
    let is_command = usage.known.iter().any(|(_, entry)| entry.owner.is_some());
    // That its owner does not handle a command is told of its contract.
    if usage.publishers.is_empty() || is_command {
        return None;
    }
    let finding = if usage.is_failure {
        let message = format!("nobody handles `{event}`, by which {by} tells of a failure");
        let remedy = "handle it where the failure must be made good, or told to a person";
        Finding::error("unhandled-failure", message, remedy)
    } else {
        let message = format!("nobody handles `{event}`, which {by} publishes");
        let remedy = "nothing, if it ends a flow or is read outside of the company; else write its handler, or stop publishing it";
        Finding::warning("unhandled-event", message, remedy)
    };
    Some(finding.event(event).handler(first))
}

/// Circles that no handler allows, for services that start and for the company alike.
pub(crate) fn cycles(graph: &Graph) -> Vec<Fault> {
    let fault = |cycle| {
        Fault::new(
            "cycle",
            format!("events go round in a circle: {cycle}"),
            "break the circle, or allow it at the handler that closes it: #[handler(allow_cycle = \"<event>\")]",
        )
    };
    graph.cycles().into_iter().map(fault).collect()
}
