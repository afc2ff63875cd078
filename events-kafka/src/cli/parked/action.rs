//! What somebody asks of a lane: `retry-now`, `skip-head`, `discard`.
//!
//! The command decides nothing: it appends an action to the parked log, and the lane that owns it acts.

use events_core::{Error, Outgoing, Result};
use serde_json::json;

use super::arguments::Which;
use super::book::Line;
use super::fact::Entry;
use super::names;
use super::survey;
use crate::cli::audit::{Audit, confirm};
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

/// What is asked of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    RetryNow,
    SkipHead,
    Discard,
}

impl Wish {
    fn name(self) -> &'static str {
        match self {
            Self::RetryNow => "retry-now",
            Self::SkipHead => "skip-head",
            Self::Discard => "discard",
        }
    }

    /// The records of a key that it concerns.
    fn of<'a>(self, line: &'a Line, named: &[Place]) -> Vec<&'a Entry> {
        let named: Vec<_> = named.iter().filter_map(|id| line.find(id)).collect();
        match self {
            Self::Discard if !named.is_empty() => named,
            Self::Discard => line.entries.iter().collect(),
            Self::RetryNow | Self::SkipHead => vec![line.head()],
        }
    }
}

pub(super) async fn ask(
    site: &Site,
    wish: Wish,
    which: Which,
    audit: Audit,
    yes: bool,
    json: bool,
) -> Result<()> {
    let named = which.id.clone();
    let lines = survey::open(site, which).await?;
    let meant = lines.iter().flat_map(|line| wish.of(line, &named));
    let (asked, meant): (Vec<_>, Vec<_>) = meant.partition(|entry| asked_before(entry, wish));
    let question = match (wish, meant.len()) {
        (Wish::RetryNow, _) | (_, 0) => None,
        (Wish::SkipHead, count) => Some(format!("Send {count} records to the dead letters?")),
        (Wish::Discard, count) => Some(format!("Throw {count} parked records away?")),
    };
    if let Some(question) = question {
        confirm(&question, yes)?;
    }
    if !meant.is_empty() {
        let writer = site.writer()?;
        let mut receipts = Vec::with_capacity(meant.len());
        for entry in &meant {
            receipts.push(
                writer
                    .append("the action", &action(entry, wish, &audit))
                    .await?,
            );
        }
        for receipt in receipts {
            receipt.await?;
        }
        writer.close().await;
    }
    let ids = |entries: &[&Entry]| {
        entries
            .iter()
            .map(|entry| entry.id.to_string())
            .collect::<Vec<_>>()
    };
    if json {
        print_json(
            &json!({ "action": wish.name(), "asked": ids(&meant), "asked_before": ids(&asked) }),
        )?;
    } else {
        print(&text(wish, meant.len(), &asked))?;
    }
    let gone = named
        .iter()
        .filter(|id| lines.iter().all(|line| line.find(id).is_none()));
    let gone: Vec<_> = gone.map(Place::to_string).collect();
    if gone.is_empty() {
        return Ok(());
    }
    Err(Error::msg(format!(
        "it does not wait: {}; `parked list` shows what does",
        gone.join(", ")
    )))
}

fn asked_before(entry: &Entry, wish: Wish) -> bool {
    let asked = entry.asked.as_deref().unwrap_or_default();
    asked.starts_with(wish.name())
}

fn text(wish: Wish, count: usize, asked: &[&Entry]) -> String {
    let mut text = match count {
        0 => format!("nothing to ask for: {}", wish.name()),
        1 => format!(
            "asked for 1 {}; the lane that owns the key acts",
            wish.name()
        ),
        more => format!(
            "asked for {more} times {}; the lanes that own the keys act",
            wish.name()
        ),
    };
    for entry in asked {
        text += &format!(
            "\n  {}: asked for already: {}",
            entry.id,
            entry.asked.as_deref().unwrap_or_default()
        );
    }
    text
}

/// The action about a record that waits. It has the record's key and no value.
fn action(entry: &Entry, wish: Wish, audit: &Audit) -> Outgoing {
    let mut action = Outgoing::new(entry.id.topic.to_string());
    action.partition = Some(entry.id.partition);
    if let Some(key) = &entry.key {
        action.set_key(key);
    }
    // Empty, but no tombstone.
    action.set_value(b"");
    for (name, value) in [
        (names::FACT, "action"),
        (names::ACTION, wish.name()),
        (names::AT, &entry.id.offset.to_string()),
        (names::HANDLER, &entry.handler),
        (names::TOPIC, &entry.origin.topic),
        (names::PARTITION, &entry.origin.partition.to_string()),
        (names::OFFSET, &entry.origin.offset.to_string()),
    ] {
        action.add_header(name, value);
    }
    audit.write(&names::AUDIT, &mut action);
    action
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::samples::parked;
    use super::*;
    use crate::cli::headers::headers;
    use crate::cli::letters::samples::Sample;
    use crate::cli::parked::fact::Fact;

    fn line() -> Line {
        let mut book = Book::new();
        book.add(&parked(1, "a", "k", 10)).unwrap();
        book.add(&parked(2, "a", "k", 11)).unwrap();
        book.finish().remove(0)
    }

    #[test]
    fn a_wish_concerns_the_first_record_or_all() {
        let line = line();
        let offsets = |wish: Wish, named: &[Place]| {
            let of = wish.of(&line, named);
            of.iter().map(|entry| entry.id.offset).collect::<Vec<_>>()
        };
        let second = [line.entries[1].id.clone()];
        assert_eq!(offsets(Wish::RetryNow, &second), [1]);
        assert_eq!(offsets(Wish::SkipHead, &[]), [1]);
        assert_eq!(offsets(Wish::Discard, &[]), [1, 2]);
        assert_eq!(offsets(Wish::Discard, &second), [2]);
    }

    #[test]
    fn an_action_is_read_as_it_is_written() {
        let audit = Audit {
            actor: "ann".to_owned(),
            reason: None,
            time: "2026-01-31T13:00:00.000Z".to_owned(),
        };
        for wish in [Wish::RetryNow, Wish::SkipHead, Wish::Discard] {
            let action = action(line().head(), wish, &audit);
            assert_eq!(action.partition, Some(3));
            assert_eq!(
                (action.key(), action.value()),
                (Some(&b"k"[..]), Some(&b""[..]))
            );
            assert_eq!(action.headers().next().unwrap().0, b"pk_fact");
            let sample = Sample::written(&action, 3, 9);
            let what = format!("{} by ann", wish.name()).into();
            assert_eq!(
                Fact::read(&sample, &headers(&sample)),
                Some(Fact::Asked { at: 1, what })
            );
        }
    }
}
