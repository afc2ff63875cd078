//! `handlers`: what is registered.

use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::manifest::Policy;
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
    #[serde(flatten)]
    policy: Policy,
    hold: Hold,
}

/// When it holds, because what it depends on is down.
#[derive(Debug, Serialize)]
struct Hold {
    /// Keys that fail in a row; 0 if their number says nothing.
    keys: usize,
    shortest_wait_ms: u64,
    longest_wait_ms: u64,
    /// How long, where the handler does not say that something is unavailable.
    max_ms: u64,
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
        Self {
            service: service.to_owned(),
            handler: handler.name,
            package: handler.package,
            location: handler.location,
            group: options.group.unwrap_or(service).to_owned(),
            topics,
            takes: names(&takes),
            emits: names(&emits),
            policy: settings.policy_of(handler),
            hold: Hold::of(settings),
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
        let policy = &self.policy;
        let attempts = match policy.attempts {
            1 => "1 attempt".to_owned(),
            more => format!(
                "{more} attempts, {} to {}",
                wait(policy.shortest_wait_ms),
                wait(policy.longest_wait_ms)
            ),
        };
        let parked = policy.park.as_ref().map(|park| {
            format!(
                "\nparked, {} to {}, for {}",
                wait(park.shortest_wait_ms),
                wait(park.longest_wait_ms),
                wait(park.max_age_ms)
            )
        });
        let exhausted = match policy.exhausted.as_str() {
            "block" => "blocks its key",
            _ => "dead letters",
        };
        let what = if policy.ordering == "none" {
            "records, in no order,"
        } else {
            "keys"
        };
        let mut text = format!(
            "{attempts}, {} each{}\nthen {exhausted}\n{} {what} at once",
            wait(policy.timeout_ms),
            parked.unwrap_or_default(),
            policy.concurrency
        );
        text += &self.hold.text();
        if !policy.dedupe {
            text.push_str("\nno dedupe");
        }
        if policy.blocking {
            text.push_str("\nblocking");
        }
        text
    }
}

impl Hold {
    fn of(settings: &Settings) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            keys: settings.breaker_keys,
            shortest_wait_ms: millis(settings.hold_probe.0),
            longest_wait_ms: millis(settings.hold_probe.1),
            max_ms: millis(settings.hold_max),
        }
    }

    fn text(&self) -> String {
        let tries = format!(
            "one try each {} to {}",
            wait(self.shortest_wait_ms),
            wait(self.longest_wait_ms)
        );
        match self.keys {
            0 => format!("\nholds while unavailable, {tries}"),
            keys => format!(
                "\nholds while unavailable, or {keys} keys failed, for {}, {tries}",
                wait(self.max_ms)
            ),
        }
    }
}

/// A length of time as handlers write it: `50ms`, `30s`, `1h`.
fn wait(millis: u64) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let unit = units
        .iter()
        .find(|(_, length)| millis >= *length && millis.is_multiple_of(*length));
    unit.map_or_else(
        || format!("{millis}ms"),
        |(unit, length)| format!("{}{unit}", millis / length),
    )
}
