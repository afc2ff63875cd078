//! Whether the upcasters of each event type lead from every version that needs one to the current.

use std::collections::BTreeMap;

use super::Upcaster;
use crate::check::Fault;
use crate::event::EventDescriptor;
use crate::registry::Registry;

/// Looks for chains that branch, that end too early, or that a field lacks.
pub(crate) fn check(registry: &Registry, faults: &mut Vec<Fault>) {
    let mut by_event: BTreeMap<&str, Vec<&Upcaster>> = BTreeMap::new();
    for step in &registry.upcasters {
        by_event.entry(step.event.rust_path).or_default().push(step);
    }
    for event in &registry.events {
        let none = Vec::new();
        filled(
            event,
            by_event.get(event.rust_path).unwrap_or(&none),
            faults,
        );
    }
    for steps in by_event.values() {
        let event = steps[0].event;
        if !registry.events.contains(&event) {
            faults.push(Fault::new(
                "upcaster-event",
                format!(
                    "{} are of `{}` ({}), which is no event type of this service",
                    list(steps),
                    event.name,
                    event.rust_path
                ),
                "let them name the event that the handlers take: #[upcast(from = …, event = …)]",
            ));
            continue;
        }
        branches(event, steps, faults);
        for step in steps {
            leads(event, step, steps, faults);
        }
    }
}

/// A version has one upcaster.
fn branches(event: &EventDescriptor, steps: &[&Upcaster], faults: &mut Vec<Fault>) {
    let mut by_version: BTreeMap<u32, Vec<&Upcaster>> = BTreeMap::new();
    for step in steps {
        by_version.entry(step.from).or_default().push(step);
    }
    for (version, several) in by_version.into_iter().filter(|(_, all)| all.len() > 1) {
        faults.push(Fault::new(
            "duplicate-upcaster",
            format!(
                "version {version} of `{}` has {} upcasters: {}",
                event.name,
                several.len(),
                list(&several)
            ),
            "keep one of them",
        ));
    }
}

/// A step leads to the current version, or to where another one begins.
fn leads(event: &EventDescriptor, step: &Upcaster, steps: &[&Upcaster], faults: &mut Vec<Fault>) {
    let Upcaster { from, to, .. } = *step;
    let current = event.version;
    if from >= current || to > current || to <= from {
        faults.push(Fault::new(
            "upcaster-version",
            format!(
                "{} leads from version {from} of `{}` to {to}, but this build writes version {current}",
                shown(step),
                event.name
            ),
            "an upcaster leads from an earlier version to one that this build knows: correct `from` and `to`, or raise the event's `version`",
        ));
    } else if to < current && !steps.iter().any(|next| next.from == to) {
        faults.push(Fault::new(
            "upcaster-chain",
            format!(
                "the upcasters of `{}` end at version {to}, behind {}, but this build writes version {current}",
                event.name,
                shown(step)
            ),
            format!("write the next one, #[upcast(from = {to})], or let this one return the event itself"),
        ));
    }
}

/// A field that upcasters fill has one that fills it.
fn filled(event: &EventDescriptor, steps: &[&Upcaster], faults: &mut Vec<Fault>) {
    for field in event.fields.iter().filter(|field| field.upcast_since > 1) {
        let last = field.upcast_since - 1;
        if !steps.iter().any(|step| step.from == last) {
            faults.push(Fault::new(
                "missing-upcaster",
                format!(
                    "records of version {last} of `{}` get `{}` from an upcaster, and none takes that version",
                    event.name, field.name
                ),
                format!(
                    "write it, #[upcast(from = {last})] fn …(old: …) -> {}; if it stands in a crate that nothing names, link that crate",
                    event.rust_path.rsplit("::").next().unwrap_or(event.rust_path)
                ),
            ));
        }
    }
}

fn shown(step: &Upcaster) -> String {
    format!("the upcaster `{}` ({})", step.path, step.location)
}

fn list(steps: &[&Upcaster]) -> String {
    let names: Vec<_> = steps.iter().map(|step| shown(step)).collect();
    names.join(", ")
}
