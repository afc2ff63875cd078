//! `dead-letters show`: all that is known of one letter.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use events_core::{
    EnvelopeError, Error, Outgoing, RecordView, Result, escape, header, to_binary_mode,
};
use serde_json::{Value, json};

use super::dialect::{self, Headers};
use super::letter::{Letter, Outcome, Resolution, Words};
use super::list::Row;
use super::survey;
use crate::cli::bytes::{self, Bytes, quoted};
use crate::cli::fit::{self, Fit};
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

/// All that is known of one letter.
#[derive(Debug)]
struct Known {
    letter: Letter,
    /// The error and its causes.
    error: String,
    /// The record's own, in their order.
    headers: Vec<(String, Option<Bytes>)>,
    payload: Option<Vec<u8>>,
    /// How the payload fits its type; none if that is not known here.
    fit: Option<Fit>,
    history: Vec<Resolution>,
    /// Other letters of the same record and handler.
    others: Vec<Place>,
}

pub(super) async fn show(site: &Site, id: &Place, json: bool) -> Result<()> {
    let mut reader = survey::connect(site).await?;
    let spans = survey::spans(site, &reader, &BTreeSet::from([Arc::clone(&id.topic)])).await?;
    let mut scan = reader.scan(&spans)?;
    let (mut known, mut history) = (None, Vec::new());
    // Letters of the same record may stand before it and behind it.
    let mut origins: Vec<(Option<Arc<str>>, Option<Place>, Place)> = Vec::new();
    let mut words = Words::default();
    while let Some(records) = scan.next().await? {
        for record in &records {
            let headers = dialect::headers(record);
            match Resolution::read(&headers) {
                Some(resolution) if resolution.of == *id => {
                    let edited = record
                        .value()
                        .filter(|_| resolution.outcome == Outcome::Edited);
                    history.push((resolution, edited.map(<[u8]>::to_vec)));
                    continue;
                }
                Some(_) => continue,
                None => {}
            }
            let Some(told) = dialect::read(record, &headers) else {
                continue;
            };
            let letter = Letter::of(record, &headers, &told, &mut words);
            if letter.id == *id {
                let error = told.error.as_deref().unwrap_or_default().to_owned();
                known = Some((
                    letter,
                    error,
                    own(record),
                    record.value().map(<[u8]>::to_vec),
                    to_binary_mode(record),
                ));
            } else if !letter.emission
                && letter.origin.as_ref().is_some_and(|_| near(id, &letter.id))
            {
                origins.push((letter.handler, letter.origin, letter.id));
            }
        }
    }
    drop(scan);
    let Some((mut letter, error, headers, payload, opened)) = known else {
        return Err(Error::msg(format!(
            "there is no dead letter `{id}`; `dead-letters list --each` shows those that are open"
        )));
    };
    let others = origins.into_iter().filter_map(|(handler, origin, place)| {
        (handler == letter.handler && origin == letter.origin).then_some(place)
    });
    let others = others.collect();
    let edited = history.iter().rev().find_map(|(_, edited)| edited.clone());
    // An edited letter is shown as it will be redriven.
    let opened = opened.filter(|_| edited.is_none());
    let payload = edited.or(payload);
    let (payload, fault) = opened_payload(&mut letter, payload, opened);
    let fit = match fault {
        Some(fault) => Some(Fit {
            complaints: vec![fault.to_string()],
            current: None,
        }),
        None => fit::of(
            &site.registry,
            letter.event.as_deref(),
            letter.version,
            payload.as_deref(),
        ),
    };
    let known = Known {
        fit,
        others,
        history: history
            .into_iter()
            .map(|(resolution, _)| resolution)
            .collect(),
        letter,
        error,
        headers,
        payload,
    };
    if json {
        return print_json(&known.json());
    }
    print(&known.text())
}

/// Letters of one record have one key, so that they stand in one partition.
fn near(id: &Place, other: &Place) -> bool {
    id.topic == other.topic && id.partition == other.partition
}

fn own(record: &dyn RecordView) -> Vec<(String, Option<Bytes>)> {
    let own = dialect::all(record).filter(|(name, _)| !dialect::is_foreign(name));
    own.map(|(name, value)| {
        let name = String::from_utf8_lossy(name).into_owned();
        (name, value.map(Bytes::of))
    })
    .collect()
}

/// Of a letter in structured mode, which others may leave, the type and the payload stand in its value.
fn opened_payload(
    letter: &mut Letter,
    payload: Option<Vec<u8>>,
    opened: Option<Result<Outgoing, EnvelopeError>>,
) -> (Option<Vec<u8>>, Option<EnvelopeError>) {
    match opened {
        None => (payload, None),
        Some(Err(fault)) => (payload, Some(fault)),
        Some(Ok(record)) => {
            let event = record.header(header::TYPE).map(String::from_utf8_lossy);
            letter.event = event.map(Into::into);
            let version = record.header(header::EVENT_VERSION);
            let version = version.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            letter.version = version.unwrap_or(1);
            (record.value().map(<[u8]>::to_vec), None)
        }
    }
}

impl Known {
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().rev().filter(|(known, _)| known == name);
        match found.next() {
            Some((_, Some(Bytes::Text(text)))) => Some(text),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        let payload = self.payload.as_deref();
        let value =
            |bytes| serde_json::from_slice(bytes).unwrap_or_else(|_| json!(Bytes::of(bytes)));
        let current = self.fit.as_ref().and_then(|fit| fit.current.as_deref());
        let history = self.history.iter().map(|one| {
            json!({ "outcome": one.outcome, "actor": one.mark.actor, "reason": one.mark.reason, "time": one.mark.time })
        });
        json!({
            "letter": Row::of(&self.letter),
            "error_chain": self.error.split("\ncaused by: ").collect::<Vec<_>>(),
            "headers": self.headers,
            "payload": payload.map(value),
            "current": current.map(value),
            "complaints": self.fit.as_ref().map(|fit| &fit.complaints),
            "history": history.collect::<Vec<_>>(),
            "other_letters": self.others,
        })
    }

    fn text(&self) -> String {
        let letter = &self.letter;
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<12} {}", escape::line(value));
        };
        line("letter", &letter.id.to_string());
        line(
            "handler",
            letter.handler.as_deref().unwrap_or("– (others wrote it)"),
        );
        line("event", letter.event.as_deref().unwrap_or("–"));
        if let Some(key) = letter.key.as_deref() {
            line("key", &crate::cli::bytes::shown(key, usize::MAX));
        }
        if let Some(origin) = &letter.origin {
            line("origin", &origin.to_string());
        }
        line("given up", &letter.time());
        if let Some(attempts) = letter.attempts {
            line("attempts", &attempts.to_string());
        }
        if let Some(code) = &letter.code {
            line("error type", code);
        }
        for (depth, cause) in self.error.split("\ncaused by: ").enumerate() {
            line(if depth == 0 { "error" } else { "  caused by" }, cause);
        }
        if letter.emission {
            line(
                "kind",
                "an emission that could not be published; it goes with the letter of its record",
            );
        }
        for (name, title) in [
            (header::CORRELATION_ID, "flow"),
            (header::CAUSATION_ID, "caused by"),
            (header::HOPS, "hops"),
        ] {
            if let Some(value) = self.header(name) {
                line(title, value);
            }
        }
        for other in &self.others {
            line("also", &format!("{other}: the same record and handler"));
        }
        for one in &self.history {
            let reason = one.mark.reason.as_deref();
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            let mark = &one.mark;
            line(
                one.outcome.name(),
                &format!("{} by {}{reason}", mark.time, mark.actor),
            );
        }
        text.push_str("\nheaders\n");
        for (name, value) in &self.headers {
            let value = bytes::header(value.as_ref());
            let _ = writeln!(text, "  {}: {value}", escape::line(name));
        }
        text.push_str(if letter.edited.is_some() || self.is_edited() {
            "\npayload, edited\n"
        } else {
            "\npayload\n"
        });
        match &self.payload {
            Some(payload) => text.push_str(&quoted(payload)),
            None => text.push_str("(none)"),
        }
        fit::write(&mut text, self.fit.as_ref(), letter.version);
        text
    }

    fn is_edited(&self) -> bool {
        self.history
            .iter()
            .any(|one| one.outcome == Outcome::Edited)
    }
}

/// For whoever needs the headers of a letter as they are.
pub(super) fn event_of(headers: &Headers<'_>) -> Option<String> {
    dialect::text(headers, header::TYPE.as_bytes()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::super::samples::ours;
    use super::*;

    #[test]
    fn a_letter_in_structured_mode_shows_its_event() {
        let show = |document: &str| {
            let mut record = ours(7);
            record.headers.retain(|(name, _)| name != header::TYPE);
            record.replace(header::CONTENT_TYPE, b"application/cloudevents+json");
            record.value = Some(document.into());
            let headers = dialect::headers(&record);
            let told = dialect::read(&record, &headers).unwrap();
            let mut letter = Letter::of(&record, &headers, &told, &mut Words::default());
            let shown = opened_payload(&mut letter, record.value.clone(), to_binary_mode(&record));
            (letter.event, letter.version, shown)
        };
        let good = r#"{"specversion":"1.0","type":"OrderPlaced","eventversion":4,"data":{"order_id":"o-1"}}"#;
        let (event, version, (payload, fault)) = show(good);
        assert_eq!((event.as_deref(), version), (Some("OrderPlaced"), 4));
        assert_eq!(payload.as_deref(), Some(&br#"{"order_id":"o-1"}"#[..]));
        assert_eq!(fault, None);
        let (event, _, (payload, fault)) = show("{}");
        assert_eq!((event, payload.as_deref()), (None, Some(&b"{}"[..])));
        assert!(
            fault
                .unwrap()
                .to_string()
                .contains("`specversion` is absent")
        );
    }
}
