//! `lag`: how far each group is behind, in records and in seconds.

use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::{Error, Result, escape};
use events_runtime::{GroupPlan, LaneStatus, Status};
use serde::Serialize;

use super::asking;
use super::output::{print, print_json, span};
use crate::lag::{self, PartitionLag};
use crate::services::Services;

/// How far a group is behind in one partition.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    group: String,
    handlers: Vec<&'static str>,
    topic: String,
    partition: i32,
    committed: Option<i64>,
    log_start: Option<i64>,
    log_end: Option<i64>,
    records: Option<u64>,
    /// Age of the oldest record that is not done.
    seconds: Option<f64>,
    oldest: Option<Oldest>,
    blocked_by: Option<Blocked>,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Oldest {
    offset: i64,
    key: Option<String>,
    timestamp: Option<i64>,
}

/// What the running service says of the oldest record.
#[derive(Debug, Default, Serialize)]
struct Blocked {
    handler: Option<String>,
    key: Option<String>,
    offset: Option<i64>,
    attempts: Option<u32>,
    reason: String,
}

pub(super) async fn show(services: Services, address: Option<&str>, json: bool) -> Result<()> {
    let running = match address {
        Some(address) => asking::read(asking::raw(address).await?)?,
        None => Vec::new(),
    };
    let mut rows = Vec::new();
    for runtime in services.into_runtimes() {
        let client = runtime.current_client().clone();
        if client.is_embedded() {
            return Err(Error::msg(
                "no cluster to ask: set KAFKA_BOOTSTRAP_SERVERS (an embedded cluster lives in the process of its services alone; the start line of that process says where)",
            ));
        }
        for plan in runtime.plans()? {
            let client = client.clone();
            let asked = tokio::task::spawn_blocking(move || {
                let lags = lag::of(&plan, &client);
                (plan, lags)
            });
            let (plan, lags) = asked.await?;
            rows.extend(lags?.into_iter().map(|lag| Row::of(&plan, lag, &running)));
        }
    }
    if json {
        return print_json(&rows);
    }
    if rows.is_empty() {
        return print("no partitions");
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "group",
        "partition",
        "records",
        "oldest",
        "not done from",
        "blocked by",
    ]);
    for row in &rows {
        table.add_row(row.cells());
    }
    print(&table.to_string())?;
    print(&total(&rows))
}

fn total(rows: &[Row]) -> String {
    let records: u64 = rows.iter().filter_map(|row| row.records).sum();
    let ages = rows.iter().filter_map(|row| row.seconds);
    let oldest = ages.fold(0.0, f64::max);
    let behind = match records {
        0 => "nothing is left to do".to_owned(),
        _ => format!(
            "{records} records behind, the oldest since {}",
            span(oldest)
        ),
    };
    match rows.iter().filter(|row| row.records.is_none()).count() {
        0 => behind,
        unknown => format!(
            "the lag of {unknown} of {} partitions is not known; in the others {behind}",
            rows.len()
        ),
    }
}

impl Row {
    fn of(plan: &GroupPlan, lag: PartitionLag, running: &[Status]) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0.0, |now| now.as_secs_f64());
        let oldest = lag.oldest.map(|oldest| Oldest {
            offset: oldest.offset,
            key: oldest.key,
            timestamp: oldest.timestamp,
        });
        let timestamp = oldest.as_ref().and_then(|oldest| oldest.timestamp);
        // An idle group lags by nothing, and that is an age too.
        let nothing = (lag.records == Some(0)).then_some(0.0);
        let age = timestamp.map(|millis| (now - millis as f64 / 1000.0).max(0.0));
        let lane = running
            .iter()
            .flat_map(|status| &status.lanes)
            .find(|known| known.group == plan.group && known.partition == lag.partition);
        let topic = plan.topics.get(&lag.partition.topic);
        let handlers = topic.iter().flat_map(|topic| &topic.handlers);
        Self {
            service: plan.service.service().to_owned(),
            group: plan.group.clone(),
            handlers: handlers.map(|handler| handler.descriptor.name).collect(),
            topic: lag.partition.topic,
            partition: lag.partition.partition,
            committed: lag.committed,
            log_start: lag.log.map(|(start, _)| start),
            log_end: lag.log.map(|(_, end)| end),
            records: lag.records,
            seconds: nothing.or(age),
            oldest,
            blocked_by: lane.and_then(blocked),
            note: lag.note,
        }
    }

    fn cells(&self) -> [String; 6] {
        let none = || "–".to_owned();
        let oldest = self.oldest.as_ref().map(|oldest| {
            let key = oldest.key.as_ref();
            let key = key.map_or_else(String::new, |key| format!(", key {}", escape::line(key)));
            format!("offset {}{key}", oldest.offset)
        });
        let blocked = self.blocked_by.as_ref().map(Blocked::text);
        let mut blocked = blocked.map(|text| escape::line(&text).into_owned());
        if let Some(note) = &self.note {
            let before = blocked.map_or_else(String::new, |text| text + "\n");
            blocked = Some(before + note);
        }
        [
            self.group.clone(),
            format!("{}/{}", self.topic, self.partition),
            self.records
                .map_or_else(none, |records| records.to_string()),
            self.seconds.map_or_else(none, span),
            oldest.unwrap_or_else(none),
            blocked.unwrap_or_default(),
        ]
    }
}

/// What keeps a lane's watermark where it is, as far as the lane knows.
fn blocked(lane: &LaneStatus) -> Option<Blocked> {
    let troubles = lane.troubles.iter();
    let trouble = troubles
        .filter(|trouble| trouble.offset == lane.watermark)
        .max_by_key(|trouble| trouble.age_ms);
    if let Some(trouble) = trouble {
        return Some(Blocked {
            handler: Some(trouble.handler.clone()),
            key: Some(trouble.key.clone()),
            offset: Some(trouble.offset),
            attempts: Some(trouble.attempts),
            reason: trouble.error.clone(),
        });
    }
    let hold = lane.holds.first().map(|hold| Blocked {
        handler: Some(hold.handler.clone()),
        reason: hold.reason.clone(),
        ..Blocked::default()
    });
    let said = || lane.unhealthy.clone().or_else(|| lane.holding.clone());
    hold.or_else(|| {
        said().map(|reason| Blocked {
            reason,
            ..Blocked::default()
        })
    })
}

impl Blocked {
    fn text(&self) -> String {
        match (&self.handler, &self.key) {
            (Some(handler), Some(key)) => format!(
                "{handler} on key {key}, {} attempts: {}",
                self.attempts.unwrap_or(0),
                self.reason
            ),
            (Some(handler), None) => format!("{handler} holds: {}", self.reason),
            _ => self.reason.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(records: Option<u64>) -> Row {
        Row {
            service: "tracking".to_owned(),
            group: "tracking".to_owned(),
            handlers: Vec::new(),
            topic: "parcels".to_owned(),
            partition: 0,
            committed: None,
            log_start: None,
            log_end: None,
            records,
            seconds: records.map(|_| 0.0),
            oldest: None,
            blocked_by: None,
            note: None,
        }
    }

    #[test]
    fn a_lag_that_is_not_known_does_not_count_as_none() {
        let nothing = "nothing is left to do";
        assert_eq!(total(&[row(Some(0)), row(Some(0))]), nothing);
        assert_eq!(
            total(&[row(Some(0)), row(None)]),
            format!("the lag of 1 of 2 partitions is not known; in the others {nothing}")
        );
        let some = total(&[row(Some(2)), row(None), row(None)]);
        assert!(
            some.starts_with("the lag of 2 of 3 partitions is not known; in the others 2 records"),
            "{some}"
        );
    }
}
