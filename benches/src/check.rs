//! The checks across services, over a company with a thousand events.

use std::time::Instant;

use anyhow::{Result, ensure};
use events_core::company::{Company, Limits};
use events_core::manifest::{EventEntry, FORMAT, HandlerEntry, Manifest};
use serde_json::json;

use crate::benchmark::Benchmark;
use crate::report::{Goal, Report};
use crate::sample::median;
use crate::session::Session;

const EVENTS: usize = 1_000;
const HANDLERS: usize = 2_000;
const SERVICES: usize = 100;
/// Seconds that the checks may take.
const ALLOWED: f64 = 1.0;

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let mut report = Report::new(Benchmark::Check, session, HANDLERS as u64);
    let text = serde_json::to_vec(&company())?;
    let (mut reading, mut checking, mut comparing) = (Vec::new(), Vec::new(), Vec::new());
    let limits = Limits::default();
    for run in 1..=session.runs() {
        let begun = Instant::now();
        let company = Company::join(Manifest::read("company.json", &text)?);
        let read = begun.elapsed().as_secs_f64();
        let findings = company.check(&limits);
        let checked = begun.elapsed().as_secs_f64();
        let changes = company.changes(&company);
        let compared = begun.elapsed().as_secs_f64();
        // Nobody publishes the first event, for which two handlers wait: a check that saw nothing would be fast too.
        ensure!(
            findings.len() == 2
                && findings
                    .iter()
                    .all(|finding| finding.fault.code == "unfed-handler"),
            "the checks found {:?}",
            findings.first()
        );
        ensure!(changes.is_empty(), "nothing has changed: {changes:?}");
        let graph = company.graph();
        ensure!(graph.events.len() == EVENTS && graph.handlers.len() == HANDLERS);
        reading.push(read);
        checking.push(checked - read);
        comparing.push(compared - checked);
        session.say(&format!(
            "check {run}/{}: {:.1} ms read, {:.1} ms checked, {:.1} ms compared with a baseline",
            session.runs(),
            read * 1e3,
            (checked - read) * 1e3,
            (compared - checked) * 1e3
        ));
    }
    let [reading, checking, comparing] = [reading, checking, comparing].map(median);
    report.goal(Goal::at_most(
        "ratio",
        "reading, checking and comparing, of the second allowed",
        (reading + checking + comparing) / ALLOWED,
        1.0,
    ));
    report.figure("read_ms", reading * 1e3);
    report.figure("check_ms", checking * 1e3);
    report.figure("compare_ms", comparing * 1e3);
    report.note(format!("{EVENTS} events and {HANDLERS} handlers of {SERVICES} services, from the text of their manifests; no broker takes part"));
    Ok(report)
}

/// Chains through all services: each event is emitted by a handler that takes the one before, and projected by another.
fn company() -> Vec<Manifest> {
    let event = |index: usize| format!("Event{index}");
    let owner = |index: usize| index * SERVICES / EVENTS;
    let mut services: Vec<_> = (0..SERVICES).map(service).collect();
    let know = |service: &mut Manifest, index: usize| {
        if service.event(&event(index)).is_none() {
            service.events.push(entry(event(index), owner(index)));
        }
    };
    for index in 0..EVENTS {
        let emitting = &mut services[owner(index)];
        know(emitting, index);
        for (name, takes, emits) in [
            ("react", index.checked_sub(1), Some(index)),
            ("project", Some(index * 7 % EVENTS), None),
        ] {
            let takes = takes.unwrap_or(EVENTS - 1);
            // What would close the circle only listens.
            let emits = emits.filter(|emitted| takes < *emitted);
            know(emitting, takes);
            emitting.handlers.push(HandlerEntry {
                handler: format!("{name}_{index}"),
                group: emitting.service.clone(),
                takes: vec![event(takes)],
                emits: emits.map(event).into_iter().collect(),
                location: format!("src/handlers.rs:{index}"),
                ..HandlerEntry::default()
            });
        }
    }
    services
}

fn service(number: usize) -> Manifest {
    Manifest {
        format: FORMAT,
        service: format!("service-{number}"),
        framework: String::new(),
        handlers: Vec::new(),
        publishes: Vec::new(),
        events: Vec::new(),
        topics: Vec::new(),
        groups: Vec::new(),
    }
}

fn entry(name: String, owner: usize) -> EventEntry {
    EventEntry {
        name,
        version: 1,
        topic: format!("topic-{owner}"),
        key: vec!["id".to_owned()],
        content_type: "application/json".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "id": { "type": "string", "description": "Which one." },
                "amount_cents": { "type": "integer", "format": "uint64", "minimum": 0 },
                "at": { "type": ["string", "null"], "format": "date-time" },
            },
            "required": ["id", "amount_cents"],
        }),
        ..EventEntry::default()
    }
}
