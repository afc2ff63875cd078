//! `parked list`: the keys that wait.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::{Result, escape};
use serde::Serialize;
use serde_json::json;

use super::arguments::Which;
use super::book::Line;
use super::fact::Entry;
use super::survey;
use crate::cli::bytes::{Bytes, cut, shown};
use crate::cli::moment::{self, Millis};
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

/// Most characters of an error and of a key in a table.
const MOST: (usize, usize) = (60, 40);

/// A key, for `--json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    topic: &'a str,
    partition: i32,
    handler: &'a str,
    key: Option<Bytes>,
    records: usize,
    since: String,
    head: Waiting<'a>,
}

/// A record that waits, for `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Waiting<'a> {
    id: &'a Place,
    origin: &'a Place,
    event: Option<&'a str>,
    attempts: u32,
    next: String,
    since: String,
    error: &'a str,
    code: Option<&'a str>,
    redrive: Option<&'a str>,
    asked: Option<&'a str>,
}

pub(super) async fn list(site: &Site, which: Which, json: bool) -> Result<()> {
    let lines = survey::open(site, which).await?;
    if json {
        let rows: Vec<_> = lines.iter().map(Row::of).collect();
        return print_json(&json!({ "keys": rows, "records": records(&lines) }));
    }
    print(&table(&lines, moment::now()))
}

pub(super) fn records(lines: &[Line]) -> usize {
    lines.iter().map(|line| line.entries.len()).sum()
}

fn table(lines: &[Line], now: Millis) -> String {
    if lines.is_empty() {
        return "nothing is parked".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "handler",
        "key",
        "records",
        "since",
        "first record",
        "attempts",
        "next",
        "error",
    ]);
    if cfg!(test) {
        // Tests compare whole tables, whatever terminal they run in.
        table.force_no_tty();
    }
    for line in lines {
        let head = line.head();
        let asked = head
            .asked
            .as_deref()
            .map(|asked| format!("\n{}", escape::line(asked)));
        table.add_row([
            escape::line(&head.handler).into_owned(),
            head.key
                .as_deref()
                .map_or_else(|| "–".to_owned(), |key| shown(key, MOST.1)),
            line.entries.len().to_string(),
            moment::ago(head.since, now),
            head.id.to_string(),
            head.attempts.to_string(),
            due(head.next, now),
            cut(&head.error, MOST.0) + &asked.unwrap_or_default(),
        ]);
    }
    let (keys, records) = (lines.len(), records(lines));
    format!("{table}\n{keys} keys, {records} records")
}

/// When a record is tried next.
pub(super) fn due(next: Millis, now: Millis) -> String {
    if next <= now {
        return "now".to_owned();
    }
    format!("in {}", moment::ago(now, next))
}

impl<'a> Row<'a> {
    fn of(line: &'a Line) -> Self {
        let head = line.head();
        Self {
            topic: &line.topic,
            partition: line.partition,
            handler: &head.handler,
            key: head.key.as_deref().map(Bytes::of),
            records: line.entries.len(),
            since: moment::rfc3339(head.since),
            head: Waiting::of(head),
        }
    }
}

impl<'a> Waiting<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self {
            id: &entry.id,
            origin: &entry.origin,
            event: entry.event.as_deref(),
            attempts: entry.attempts,
            next: moment::rfc3339(entry.next),
            since: moment::rfc3339(entry.since),
            error: &entry.error,
            code: entry.code.as_deref(),
            redrive: entry.redrive.as_deref(),
            asked: entry.asked.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::samples::{action, parked};
    use super::*;

    fn lines() -> Vec<Line> {
        let mut book = Book::new();
        for fact in [
            parked(1, "a", "k", 10),
            parked(2, "a", "k", 11),
            parked(3, "a", "l", 12),
            action(4, "retry-now", 3),
        ] {
            book.add(&fact).unwrap();
        }
        book.finish()
    }

    #[test]
    fn each_key_has_a_line() {
        let table = table(&lines(), 21_000);
        let shown: Vec<_> = table.lines().map(str::trim_end).collect();
        let (thin, thick) = ("─".repeat(122), "═".repeat(122));
        assert_eq!(
            shown,
            [
                &*thin,
                " handler         key   records   since   first record                 attempts   next     error",
                &*thick,
                " shipping/ship   k     2         20s     shipping.parked.orders/3/1   5          in 40s   order o-17 has no address",
                &*thin,
                " shipping/ship   l     1         20s     shipping.parked.orders/3/3   5          in 40s   order o-17 has no address",
                "                                                                                          retry-now by ann: address added",
                &*thin,
                "2 keys, 3 records",
            ]
        );
        assert_eq!(self::table(&[], 0), "nothing is parked");
        assert_eq!(
            (due(1_000, 1_000), due(61_000, 1_000)),
            ("now".into(), "in 1m".into())
        );
    }

    #[test]
    fn a_key_of_others_stays_in_its_row() {
        let hostile = "a\n::error::forged\r\u{1b}[31m\u{202e}";
        let mut record = parked(1, "a", hostile, 10);
        record.replace(super::super::names::ERROR, hostile.as_bytes());
        let mut action = action(2, "retry-now", 1);
        action.replace(super::super::names::ACTOR, hostile.as_bytes());
        let mut book = Book::new();
        book.add(&record).unwrap();
        book.add(&action).unwrap();
        let shown = table(&book.finish(), 0);
        assert!(shown.contains("u{202e}"), "{shown}");
        for line in shown.lines() {
            assert!(!line.chars().any(escape::is_hidden), "{shown}");
            assert!(!line.trim_start().starts_with("::"), "{shown}");
        }
    }

    #[test]
    fn as_json_a_key_has_its_first_record() {
        let lines = lines();
        let row = serde_json::to_value(Row::of(&lines[0])).unwrap();
        assert_eq!(
            row,
            json!({
                "topic": "shipping.parked.orders", "partition": 3, "handler": "shipping/ship", "key": "k",
                "records": 2, "since": "1970-01-01T00:00:01.000Z",
                "head": {
                    "id": "shipping.parked.orders/3/1", "origin": "orders/3/10", "event": "OrderPlaced",
                    "attempts": 5, "next": "1970-01-01T00:01:01.000Z", "since": "1970-01-01T00:00:01.000Z",
                    "error": "order o-17 has no address", "code": null, "redrive": null, "asked": null,
                },
            })
        );
    }
}
