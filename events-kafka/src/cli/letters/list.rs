//! `dead-letters list`: what is open.

use std::collections::BTreeMap;
use std::sync::Arc;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use events_core::{Result, escape};
use serde::Serialize;
use serde_json::json;

use super::arguments::Which;
use super::dialect::Dialect;
use super::letter::{Letter, Mark};
use super::survey;
use crate::cli::bytes::{Bytes, cut, shown};
use crate::cli::moment::{self, Millis};
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

/// Most characters of an error and of a key in a table.
const MOST: (usize, usize) = (60, 40);

/// What letters of a group have in common: handler, event, type of the error, and its text without numbers.
type Kind<'a> = (Word<'a>, Word<'a>, Word<'a>, String);
type Word<'a> = &'a Option<Arc<str>>;

/// Letters that have handler, event and error in common.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Group {
    handler: Option<String>,
    event: Option<String>,
    /// Digits are replaced by `#`, so that errors that differ in a number are one.
    error: String,
    code: Option<String>,
    count: usize,
    /// Letters whose redrive was asked for.
    requested: usize,
    oldest: String,
    newest: String,
    /// The oldest one.
    example: Place,
    #[serde(skip)]
    since: Millis,
}

/// A letter in `--each`.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    id: &'a Place,
    written_by: Dialect,
    handler: Option<&'a str>,
    event: Option<&'a str>,
    key: Option<Bytes>,
    origin: Option<&'a Place>,
    error: &'a str,
    code: Option<&'a str>,
    attempts: Option<u32>,
    time: String,
    emission: bool,
    edited: bool,
    requested: Option<&'a Mark>,
}

pub(super) async fn list(site: &Site, which: Which, each: bool, json: bool) -> Result<()> {
    let (_, found) = survey::open(site, which).await?;
    let letters = found.open;
    match (json, each) {
        (true, false) => print_json(&json!({ "open": letters.len(), "groups": groups(&letters) })),
        (true, true) => {
            let rows: Vec<_> = letters.iter().map(Row::of).collect();
            print_json(&json!({ "open": letters.len(), "letters": rows }))
        }
        (false, false) => print(&table(&letters, moment::now())),
        (false, true) => print(&rows(&letters, moment::now())),
    }
}

/// An error without its numbers.
fn kind(error: &str) -> String {
    let mut kind = String::with_capacity(error.len());
    for character in error.chars() {
        match character.is_ascii_digit() {
            true if kind.ends_with('#') => {}
            true => kind.push('#'),
            false => kind.push(character),
        }
    }
    kind
}

fn groups(letters: &[Letter]) -> Vec<Group> {
    let mut groups: BTreeMap<_, Vec<&Letter>> = BTreeMap::new();
    for letter in letters {
        let key = (
            &letter.handler,
            &letter.event,
            &letter.code,
            kind(&letter.error),
        );
        groups.entry(key).or_default().push(letter);
    }
    let group = |((handler, event, code, error), letters): (Kind<'_>, Vec<&Letter>)| {
        let oldest = letters.iter().min_by_key(|letter| letter.time)?;
        let newest = letters.iter().max_by_key(|letter| letter.time)?;
        let text = |word: &Option<Arc<str>>| word.as_deref().map(str::to_owned);
        Some(Group {
            handler: text(handler),
            event: text(event),
            error,
            code: text(code),
            count: letters.len(),
            requested: letters
                .iter()
                .filter(|letter| letter.requested.is_some())
                .count(),
            oldest: oldest.time(),
            newest: newest.time(),
            example: oldest.id.clone(),
            since: oldest.time,
        })
    };
    let mut groups: Vec<_> = groups.into_iter().filter_map(group).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.since));
    groups
}

fn columns(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(titles);
    if cfg!(test) {
        // Tests compare whole tables, whatever terminal they run in.
        table.force_no_tty();
    }
    table
}

fn table(letters: &[Letter], now: Millis) -> String {
    if letters.is_empty() {
        return "no open dead letters".to_owned();
    }
    let mut table = columns(&["letters", "handler", "event", "error", "oldest", "example"]);
    for group in groups(letters) {
        let count = match group.requested {
            0 => group.count.to_string(),
            requested => format!("{}\n{requested} on their way", group.count),
        };
        let code = group.code.map(|code| format!("\n{}", escape::line(&code)));
        let word = |word: Option<String>| match word {
            Some(word) => escape::line(&word).into_owned(),
            None => "–".to_owned(),
        };
        table.add_row([
            count,
            word(group.handler),
            word(group.event),
            cut(&group.error, MOST.0) + &code.unwrap_or_default(),
            moment::ago(group.since, now),
            group.example.to_string(),
        ]);
    }
    format!("{table}\n{} open", letters.len())
}

fn rows(letters: &[Letter], now: Millis) -> String {
    if letters.is_empty() {
        return "no open dead letters".to_owned();
    }
    let mut table = columns(&["letter", "handler", "event", "key", "error", "age"]);
    for letter in letters {
        let text =
            |word: &Option<Arc<str>>| escape::line(word.as_deref().unwrap_or("–")).into_owned();
        let key = letter.key.as_deref();
        let mut error = cut(&letter.error, MOST.0);
        for (holds, word) in [
            (letter.emission, "emission"),
            (letter.edited.is_some(), "edited"),
            (letter.requested.is_some(), "redrive asked for"),
            (letter.refused.is_some(), "redrive refused"),
        ] {
            if holds {
                error = format!("{error}\n({word})");
            }
        }
        table.add_row([
            letter.id.to_string(),
            text(&letter.handler),
            text(&letter.event),
            key.map_or_else(|| "–".to_owned(), |key| shown(key, MOST.1)),
            error,
            moment::ago(letter.time, now),
        ]);
    }
    table.to_string()
}

impl<'a> Row<'a> {
    pub(super) fn of(letter: &'a Letter) -> Self {
        Self {
            id: &letter.id,
            written_by: letter.dialect,
            handler: letter.handler.as_deref(),
            event: letter.event.as_deref(),
            key: letter.key.as_deref().map(Bytes::of),
            origin: letter.origin.as_ref(),
            error: &letter.error,
            code: letter.code.as_deref(),
            attempts: letter.attempts,
            time: letter.time(),
            emission: letter.emission,
            edited: letter.edited.is_some(),
            requested: letter.requested.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::filter::Filter;
    use super::super::names;
    use super::super::samples::{letter, resolution, spring};
    use super::*;

    fn letters() -> Vec<Letter> {
        let mut other = letter(1, "b", 42);
        other.replace(names::ERROR, b"order o-99 has no address");
        let mut later = letter(2, "c", 43);
        later.replace(names::ERROR, b"no stock");
        later.replace(names::TIME, b"2026-01-31T13:00:00.000Z");
        let asked = resolution(3, "shipping.dead-letters/0/0", "redrive-requested");
        let mut book = Book::new(Filter::default(), None);
        for record in [letter(0, "a", 41), other, later, asked, spring(0)] {
            book.add(&record).unwrap();
        }
        book.finish().open
    }

    #[test]
    fn errors_that_differ_in_a_number_are_one() {
        assert_eq!(kind("order o-17 of 2026: 5"), "order o-# of #: #");
    }

    #[test]
    fn letters_are_counted_by_handler_event_and_error() {
        let now = moment::parse("2026-01-31T15:30:00Z").unwrap();
        let table = table(&letters()[1..], now);
        let lines: Vec<_> = table.lines().map(str::trim_end).collect();
        let (thin, thick) = ("─".repeat(110), "═".repeat(110));
        assert_eq!(
            lines,
            [
                &*thin,
                " letters          handler         event         error                      oldest   example",
                &*thick,
                " 2                shipping/ship   OrderPlaced   order o-# has no address   3h 30m   shipping.dead-letters/0/0",
                " 1 on their way",
                &*thin,
                " 1                shipping/ship   OrderPlaced   no stock                   2h 30m   shipping.dead-letters/0/2",
                &*thin,
                "3 open",
            ]
        );
        assert_eq!(self::table(&[], now), "no open dead letters");
    }

    #[test]
    fn a_letter_of_others_stays_in_its_row() {
        let hostile = "a\n::error::forged\r\u{1b}[31m\u{202e}";
        let mut record = letter(0, hostile, 41);
        for name in [names::ERROR, names::HANDLER, "ce_type", names::CODE] {
            record.replace(name, hostile.as_bytes());
        }
        let mut book = Book::new(Filter::default(), None);
        book.add(&record).unwrap();
        let letters = book.finish().open;
        for shown in [table(&letters, 0), rows(&letters, 0)] {
            assert!(shown.contains("u{202e}"), "{shown}");
            for line in shown.lines() {
                assert!(!line.chars().any(escape::is_hidden), "{shown}");
                assert!(!line.trim_start().starts_with("::"), "{shown}");
            }
        }
    }

    #[test]
    fn each_letter_has_a_line() {
        let rows = rows(
            &letters()[..2],
            moment::parse("2026-01-31T12:00:07Z").unwrap(),
        );
        let lines: Vec<_> = rows.lines().map(str::trim_end).collect();
        let (thin, thick) = ("─".repeat(106), "═".repeat(106));
        assert_eq!(
            lines,
            [
                &*thin,
                " letter                      handler         event         key   error                         age",
                &*thick,
                " orders.DLT/0/0              –               OrderPlaced   o-1   Listener failed; no address   20484d 12h",
                &*thin,
                " shipping.dead-letters/0/0   shipping/ship   OrderPlaced   a     order o-17 has no address     7s",
                "                                                                 (redrive asked for)",
                &*thin,
            ]
        );
    }

    #[test]
    fn as_json_a_group_says_when_it_began() {
        let groups = serde_json::to_value(groups(&letters())).unwrap();
        assert_eq!(
            groups[0],
            json!({
                "handler": "shipping/ship", "event": "OrderPlaced",
                "error": "order o-# has no address", "code": null,
                "count": 2, "requested": 1,
                "oldest": "2026-01-31T12:00:00.000Z", "newest": "2026-01-31T12:00:00.000Z",
                "example": "shipping.dead-letters/0/0",
            })
        );
        assert_eq!(
            (&groups[1]["handler"], &groups[1]["code"]),
            (&json!(null), &json!("com.shop.NoAddress"))
        );
    }

    #[test]
    fn as_json_a_letter_says_all_but_its_payload() {
        let letters = letters();
        let rows: Vec<_> = letters.iter().map(Row::of).collect();
        assert_eq!(
            serde_json::to_value(&rows[1]).unwrap(),
            json!({
                "id": "shipping.dead-letters/0/0", "written_by": "events",
                "handler": "shipping/ship", "event": "OrderPlaced", "key": "a",
                "origin": "orders/3/41", "error": "order o-17 has no address", "code": null,
                "attempts": 5, "time": "2026-01-31T12:00:00.000Z", "emission": false, "edited": false,
                "requested": { "actor": "ann", "reason": "tried", "time": "2026-01-31T13:00:00.000Z" },
            })
        );
    }
}
