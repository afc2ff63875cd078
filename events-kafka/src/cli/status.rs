//! `status`: what a running service says of itself.

use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::{Result, escape};
use events_runtime::{HandlerStatus, LaneStatus, Status};

use super::asking;
use super::output::{print, print_json, span};

pub(super) async fn show(address: &str, json: bool) -> Result<()> {
    let raw = asking::raw(address).await?;
    if json {
        return print_json(&raw);
    }
    let services = asking::read(raw)?;
    if services.is_empty() {
        return print("no services");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0.0, |now| now.as_secs_f64());
    let texts: Vec<_> = services.iter().map(|status| text(status, now)).collect();
    print(&texts.join("\n\n"))
}

/// `now` in seconds since the Unix epoch.
fn text(status: &Status, now: f64) -> String {
    let health = if status.healthy {
        "healthy"
    } else {
        "UNHEALTHY"
    };
    let mut text = format!("{}: {health}", status.service);
    for trouble in &status.troubles {
        text.push_str(&format!("\n{}", escape::line(trouble)));
    }
    let lanes = status.lanes.iter().map(|lane| lane_cells(lane, now));
    if lanes.len() == 0 {
        text.push_str(if status.troubles.is_empty() {
            ", no partitions\n"
        } else {
            "\nno partitions\n"
        });
    } else {
        let header = [
            "group",
            "partition",
            "lag",
            "oldest",
            "not done from",
            "in flight",
            "held",
            "received",
        ];
        text.push_str(&format!("\n{}\n", table(&header, lanes)));
    }
    let header = [
        "handler", "group", "handled", "emitted", "retried", "parked", "dead", "repeated",
    ];
    let handlers = status.handlers.iter().map(handler_cells);
    text.push_str(&table(&header, handlers));
    for handler in &status.handlers {
        if let Some(line) = later_versions(handler) {
            text.push_str(&format!("\n{}: {line}", handler.handler));
        }
    }
    for lane in &status.lanes {
        for line in remarks(lane, &status.handlers) {
            text.push_str(&format!("\n{}: {}", lane.partition, escape::line(&line)));
        }
    }
    text
}

fn table<const N: usize>(header: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

fn lane_cells(lane: &LaneStatus, now: f64) -> [String; 8] {
    let none = || "–".to_owned();
    let age = lane
        .oldest_timestamp
        .map(|millis| span((now - millis as f64 / 1000.0).max(0.0)));
    [
        lane.group.clone(),
        lane.partition.to_string(),
        lane.lag.map_or_else(none, |lag| lag.to_string()),
        age.unwrap_or_else(none),
        lane.watermark.to_string(),
        lane.in_flight.to_string(),
        lane.held.to_string(),
        lane.received.to_string(),
    ]
}

fn handler_cells(handler: &HandlerStatus) -> [String; 8] {
    [
        handler.handler.clone(),
        handler.group.clone(),
        handler.handled.to_string(),
        handler.emitted.to_string(),
        handler.retried.to_string(),
        handler.parked.to_string(),
        handler.dead_lettered.to_string(),
        handler.duplicates.to_string(),
    ]
}

/// What its writers are ahead.
fn later_versions(handler: &HandlerStatus) -> Option<String> {
    let latest = handler.latest_version?;
    let count = handler.later_versions;
    let records = if count == 1 { "record" } else { "records" };
    Some(format!(
        "{count} {records} of later versions than this build knows, up to {latest}: build it with the later one"
    ))
}

/// What is not as it should be.
fn remarks(lane: &LaneStatus, handlers: &[HandlerStatus]) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(
        lane.unhealthy
            .as_ref()
            .map(|why| format!("unhealthy: {why}")),
    );
    remarks.extend(
        lane.holding
            .as_ref()
            .map(|why| format!("takes nothing more: {why}")),
    );
    remarks.extend(lane.holds.iter().map(|hold| {
        let age = span(hold.age_ms as f64 / 1000.0);
        let paused = handlers
            .iter()
            .filter(|known| known.handler == hold.handler && hold.reason == "paused");
        let company = { paused }.find_map(|paused| asking::company(paused, handlers));
        let company = company.map_or_else(String::new, |company| format!("; {company}"));
        format!("{} holds for {age}: {}{company}", hold.handler, hold.reason)
    }));
    remarks.extend(lane.troubles.iter().map(|trouble| {
        format!(
            "{} fails on key {} (offset {}, {} attempts, {}): {}",
            trouble.handler,
            trouble.key,
            trouble.offset,
            trouble.attempts,
            span(trouble.age_ms as f64 / 1000.0),
            trouble.error
        )
    }));
    remarks
}

#[cfg(test)]
mod tests {
    use events_runtime::HoldStatus;

    use super::*;

    #[test]
    fn whoever_waits_for_a_paused_handler_is_named() {
        let handler = |name: &str| {
            serde_json::json!({
                "handler": name, "group": "shipping", "handled": 7, "emitted": 0, "retried": 0, "parked": 0,
                "dead_lettered": 0, "overdue": 0, "duplicates": 0,
            })
        };
        let handlers = [handler("shipping/ship"), handler("shipping/bill")];
        let handlers = handlers.map(|handler| serde_json::from_value(handler).unwrap());
        let told = |reason: &str| {
            let lane = LaneStatus {
                holds: vec![HoldStatus {
                    handler: "shipping/ship".to_owned(),
                    reason: reason.to_owned(),
                    age_ms: 5_000,
                }],
                ..LaneStatus::default()
            };
            remarks(&lane, &handlers).remove(0)
        };
        assert!(
            told("paused").ends_with("wait for it: shipping/bill"),
            "{}",
            told("paused")
        );
        assert!(!told("10 keys failed in a row").contains("shipping/bill"));
    }

    #[test]
    fn later_versions_are_told_where_there_were_any() {
        let handler = |latest: Option<u32>| {
            serde_json::json!({
                "handler": "shipping/ship", "group": "shipping", "handled": 7, "emitted": 0, "retried": 0, "parked": 0,
                "dead_lettered": 0, "overdue": 0, "duplicates": 0, "later_versions": latest.map_or(0, |_| 3),
                "latest_version": latest,
            })
        };
        let status = |latest| {
            let status = serde_json::json!({
                "service": "shipping", "healthy": true, "lanes": [], "handlers": [handler(latest)],
            });
            text(&serde_json::from_value(status).unwrap(), 0.0)
        };
        let told = status(Some(9));
        assert!(
            told.ends_with(
                "\nshipping/ship: 3 records of later versions than this build knows, up to 9: build it with the later one"
            ),
            "{told}"
        );
        assert!(!status(None).contains("later versions"));
    }
}
