//! `handlers`: what is registered.

use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::{EventDescriptor, HandlerDescriptor, Result};
use events_runtime::Settings;
use serde::Serialize;

use super::output::{print, print_json};
use crate::services::Services;

/// A handler as it will run.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    handler: &'static str,
    #[serde(rename = "crate")]
    package: &'static str,
    location: &'static str,
    group: String,
    topics: Vec<&'static str>,
    takes: Vec<&'static str>,
    emits: Vec<&'static str>,
    attempts: u32,
    shortest_wait_ms: u128,
    longest_wait_ms: u128,
    timeout_ms: u128,
    concurrency: u16,
    dedupe: bool,
    start: String,
    blocking: bool,
}

pub(super) fn show(services: &Services, json: bool) -> Result<()> {
    let mut rows = Vec::new();
    for runtime in services.runtimes() {
        for handler in runtime.registry().handlers_of(runtime.name()) {
            rows.push(Row::of(runtime.name(), handler, runtime.current_settings()));
        }
    }
    if json {
        return print_json(&rows);
    }
    if rows.is_empty() {
        return print("no handlers");
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "handler", "crate", "group", "topic", "takes", "emits", "policy",
    ]);
    for row in &rows {
        table.add_row(row.cells());
    }
    print(&table.to_string())
}

impl Row {
    fn of(service: &str, handler: &'static HandlerDescriptor, settings: &Settings) -> Self {
        let options = &handler.options;
        let (takes, emits) = (handler.takes(), handler.emits());
        let names = |events: &[&'static EventDescriptor]| {
            events.iter().map(|event| event.name).collect::<Vec<_>>()
        };
        let mut topics: Vec<_> = takes.iter().map(|event| event.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        let retry = options.retry.unwrap_or(settings.retry);
        Self {
            service: service.to_owned(),
            handler: handler.name,
            package: handler.package,
            location: handler.location,
            group: options.group.unwrap_or(service).to_owned(),
            topics,
            takes: names(&takes),
            emits: names(&emits),
            attempts: retry.attempts,
            shortest_wait_ms: retry.min.as_millis(),
            longest_wait_ms: retry.max.as_millis(),
            timeout_ms: options.timeout.unwrap_or(settings.timeout).as_millis(),
            concurrency: options.concurrency.unwrap_or(settings.concurrency),
            dedupe: options.dedupe.unwrap_or(true) && settings.dedupe_window > 0,
            start: options.start.unwrap_or(settings.start).to_string(),
            blocking: handler.blocking,
        }
    }

    fn cells(&self) -> [String; 7] {
        let emits = if self.emits.is_empty() {
            "–".to_owned()
        } else {
            self.emits.join("\n")
        };
        [
            format!("{}/{}", self.service, self.handler),
            self.package.to_owned(),
            self.group.clone(),
            self.topics.join("\n"),
            self.takes.join("\n"),
            emits,
            self.policy(),
        ]
    }

    fn policy(&self) -> String {
        let wait = |millis: u128| {
            format!(
                "{:?}",
                Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
            )
        };
        let attempts = match self.attempts {
            1 => "1 attempt".to_owned(),
            more => format!(
                "{more} attempts, {} to {}",
                wait(self.shortest_wait_ms),
                wait(self.longest_wait_ms)
            ),
        };
        let mut policy = format!(
            "{attempts}\n{} each\n{} keys at once",
            wait(self.timeout_ms),
            self.concurrency
        );
        if !self.dedupe {
            policy.push_str("\nno dedupe");
        }
        if self.blocking {
            policy.push_str("\nblocking");
        }
        policy
    }
}
