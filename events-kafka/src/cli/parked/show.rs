//! `parked show`: all that is known of one record that waits.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use events_core::{Error, RecordView as _, Result, escape, header};
use serde_json::{Value, json};

use super::arguments::Which;
use super::book::Line;
use super::list::{Waiting, due};
use super::survey;
use crate::cli::bytes::{self, Bytes, quoted, shown};
use crate::cli::fit::{self, Fit};
use crate::cli::headers::all;
use crate::cli::moment::{self, Millis};
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;
use crate::reader::Span;

/// All that is known of one record that waits.
struct Known {
    line: Line,
    id: Place,
    /// The error and its causes, as they were when the record was parked.
    error: String,
    headers: Vec<(String, Option<Bytes>)>,
    payload: Option<Vec<u8>>,
    version: u32,
    /// How the payload fits its type; none if that is not known here.
    fit: Option<Fit>,
}

pub(super) async fn show(site: &Site, id: &Place, json: bool) -> Result<()> {
    let which = Which {
        id: vec![id.clone()],
        ..Which::default()
    };
    let mut lines = survey::open(site, which).await?;
    let nothing = || {
        Error::msg(format!(
            "`{id}` does not wait; `parked list` shows what does"
        ))
    };
    let line = lines.pop().ok_or_else(nothing)?;
    let first = site.groups.first().ok_or_else(nothing)?;
    let mut reader = site.reader(&first.plan.group).await?;
    let span = Span {
        topic: id.topic.clone(),
        partition: id.partition,
        from: id.offset,
        to: id.offset + 1,
    };
    let mut known = None;
    let mut scan = reader.scan(&[span])?;
    while let Some(records) = scan.next().await? {
        for record in records.iter().filter(|record| Place::of(*record) == *id) {
            let own = all(record).filter(|(name, _)| !name.starts_with(b"pk_"));
            let own = own.map(|(name, value)| {
                let name = String::from_utf8_lossy(name).into_owned();
                (name, value.map(Bytes::of))
            });
            let told = crate::cli::headers::headers(record);
            let error = crate::cli::headers::text(&told, super::names::ERROR.as_bytes());
            let version = crate::cli::headers::number(&told, header::EVENT_VERSION.as_bytes());
            let version = version.unwrap_or(1);
            let payload = record.value().map(<[u8]>::to_vec);
            let event = line.entries.iter().find(|entry| entry.id == *id);
            let event = event.and_then(|entry| entry.event.as_deref());
            known = Some(Known {
                line: line.clone(),
                id: id.clone(),
                error: error.unwrap_or_default().into_owned(),
                headers: own.collect(),
                fit: fit::of(&site.registry, event, version, payload.as_deref()),
                version,
                payload,
            });
        }
    }
    drop(scan);
    let known = known.ok_or_else(nothing)?;
    if json {
        return print_json(&known.json());
    }
    print(&known.text(moment::now()))
}

impl Known {
    fn ahead(&self) -> usize {
        let mut entries = self.line.entries.iter();
        entries.position(|entry| entry.id == self.id).unwrap_or(0)
    }

    fn json(&self) -> Value {
        let value =
            |bytes| serde_json::from_slice(bytes).unwrap_or_else(|_| json!(Bytes::of(bytes)));
        let fit = self.fit.as_ref();
        let entry = &self.line.entries[self.ahead()];
        json!({
            "record": Waiting::of(entry),
            "handler": &*entry.handler,
            "key": entry.key.as_deref().map(Bytes::of),
            "ahead": self.ahead(),
            "behind": self.line.entries.len() - self.ahead() - 1,
            "error_chain": self.error.split("\ncaused by: ").collect::<Vec<_>>(),
            "headers": self.headers,
            "payload": self.payload.as_deref().map(value),
            "current": fit.and_then(|fit| fit.current.as_deref()).map(value),
            "complaints": fit.map(|fit| &fit.complaints),
        })
    }

    fn text(&self, now: Millis) -> String {
        let (ahead, all) = (self.ahead(), self.line.entries.len());
        let entry = &self.line.entries[ahead];
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<12} {}", escape::line(value));
        };
        line("record", &entry.id.to_string());
        line("handler", &entry.handler);
        line("event", entry.event.as_deref().unwrap_or("–"));
        if let Some(key) = entry.key.as_deref() {
            line("key", &shown(key, usize::MAX));
        }
        line("origin", &entry.origin.to_string());
        line(
            "parked",
            &format!(
                "{}, {} ago",
                moment::rfc3339(entry.since),
                moment::ago(entry.since, now)
            ),
        );
        line(
            "place",
            &format!("{ahead} records before it, {} behind it", all - ahead - 1),
        );
        line("attempts", &entry.attempts.to_string());
        line("next", &due(entry.next, now));
        if let Some(code) = &entry.code {
            line("error type", code);
        }
        let first: BTreeSet<&str> = self.error.lines().take(1).collect();
        if !entry.error.is_empty() && !first.contains(&*entry.error) {
            line("last error", &entry.error);
        }
        for (depth, cause) in self.error.split("\ncaused by: ").enumerate() {
            line(if depth == 0 { "error" } else { "  caused by" }, cause);
        }
        if let Some(letter) = &entry.redrive {
            line("redriven", &format!("from {letter}"));
        }
        if let Some(asked) = &entry.asked {
            line("asked for", asked);
        }
        text.push_str("\nheaders\n");
        for (name, value) in &self.headers {
            let value = bytes::header(value.as_ref());
            let _ = writeln!(text, "  {}: {value}", escape::line(name));
        }
        text.push_str("\npayload\n");
        match &self.payload {
            Some(payload) => text.push_str(&quoted(payload)),
            None => text.push_str("(none)"),
        }
        fit::write(&mut text, self.fit.as_ref(), self.version);
        text
    }
}
