//! A dead letter as far as lists need it: without its payload.

use std::collections::HashSet;
use std::sync::Arc;

use events_core::{RecordView, header};
use serde::Serialize;

use super::dialect::{self, Dialect, Headers, Told};
use super::names;
use crate::cli::bytes::cut;
use crate::cli::moment::{self, Millis};
use crate::cli::place::Place;

/// Most characters of an error that are kept for each letter.
const MAX_ERROR: usize = 200;

/// A dead letter without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) id: Place,
    pub(super) dialect: Dialect,
    /// None in letters of others.
    pub(super) handler: Option<Arc<str>>,
    pub(super) event: Option<Arc<str>>,
    /// The version of that type; 1 where the record says nothing.
    pub(super) version: u32,
    /// Where the record stood that was given up, as far as the letter says.
    pub(super) origin: Option<Place>,
    pub(super) key: Option<Arc<[u8]>>,
    /// The first line.
    pub(super) error: Arc<str>,
    pub(super) code: Option<Arc<str>>,
    pub(super) attempts: Option<u32>,
    pub(super) time: Millis,
    /// It could not be published; the letter of the record that caused it stands beside it.
    pub(super) emission: bool,
    /// It names its record's origin instead of carrying the record, which its topic did not take.
    pub(super) reference: bool,
    /// Somebody asked for its redrive.
    pub(super) requested: Option<Mark>,
    /// The lane refused a redrive, and none was asked for since.
    pub(super) refused: Option<Mark>,
    /// A payload that takes the place of its own.
    pub(super) edited: Option<Arc<[u8]>>,
}

impl Letter {
    /// Why `what` comes too late: its redrive was asked for.
    pub(super) fn too_late(&self, what: &str) -> Option<String> {
        let mark = self.requested.as_ref()?;
        Some(format!(
            "the redrive of {} was asked for at {} by {}, so that {what} would come too late",
            self.id, mark.time, mark.actor
        ))
    }
}

impl Letter {
    /// Takes a word about its redrive. Whoever asks writes it down after the request, so that the refusal may be read first:
    /// their times tell.
    pub(super) fn tell_redrive(&mut self, outcome: Outcome, mark: Mark) {
        let later = |than: &Option<Mark>| than.as_ref().is_none_or(|than| mark.time > than.time);
        match outcome {
            Outcome::RedriveRefused if later(&self.requested) => {
                self.requested = None;
                self.refused = Some(mark);
            }
            Outcome::RedriveRequested if later(&self.refused) => {
                self.refused = None;
                self.requested = Some(mark);
            }
            _ => {}
        }
    }
}

/// Who did something to a letter, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Mark {
    pub(super) actor: String,
    pub(super) reason: Option<String>,
    /// RFC 3339.
    pub(super) time: String,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    RedriveRequested,
    /// The lane had no room for its redrive: it is open, as it was before.
    RedriveRefused,
    Redriven,
    Discarded,
    Edited,
    /// It came here from a file: who brought it, and why.
    Imported,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::RedriveRequested,
        Self::RedriveRefused,
        Self::Redriven,
        Self::Discarded,
        Self::Edited,
        Self::Imported,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RedriveRequested => "redrive-requested",
            Self::RedriveRefused => "redrive-refused",
            Self::Redriven => "redriven",
            Self::Discarded => "discarded",
            Self::Edited => "edited",
            Self::Imported => "imported",
        }
    }

    /// The same, in a sentence about the letter.
    pub(super) fn happened(self) -> &'static str {
        match self {
            Self::RedriveRequested => "its redrive was asked for",
            Self::RedriveRefused => "its redrive was refused",
            Self::Redriven => "it was redriven",
            Self::Discarded => "it was discarded",
            Self::Edited => "it was edited",
            Self::Imported => "it was imported",
        }
    }

    /// Whether the letter is settled by it.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Redriven | Self::Discarded)
    }
}

/// A record that says what became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolution {
    pub(super) of: Place,
    pub(super) outcome: Outcome,
    pub(super) mark: Mark,
}

impl Resolution {
    /// None if the record is no resolution.
    pub(super) fn read(headers: &Headers<'_>) -> Option<Self> {
        let text = |name: &str| dialect::text(headers, name.as_bytes());
        if text(names::FACT)? != names::RESOLVED {
            return None;
        }
        let outcome = text(names::RESOLUTION)?;
        Some(Self {
            of: text(names::OF)?.parse().ok()?,
            outcome: Outcome::ALL.into_iter().find(|one| one.name() == outcome)?,
            mark: Mark {
                actor: text(names::ACTOR).map_or_else(|| "the service".into(), Into::into),
                reason: text(names::REASON).map(Into::into),
                time: text(names::TIME).unwrap_or_default().into(),
            },
        })
    }
}

/// Texts that many letters share are kept once.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    pub(super) fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

impl Letter {
    pub(super) fn of(
        record: &dyn RecordView,
        headers: &Headers<'_>,
        told: &Told<'_>,
        words: &mut Words,
    ) -> Self {
        let mut keep = |text: &str| words.keep(text);
        let event = dialect::text(headers, header::TYPE.as_bytes());
        let origin = match (&told.topic, told.partition, told.offset) {
            (Some(topic), Some(partition), Some(offset)) => {
                Some(Place::new(keep(topic), partition, offset))
            }
            _ => None,
        };
        Self {
            id: Place {
                topic: keep(record.topic()),
                partition: record.partition(),
                offset: record.offset(),
            },
            dialect: told.dialect,
            handler: told.handler.as_deref().map(&mut keep),
            event: event.as_deref().map(&mut keep),
            version: dialect::version(headers),
            origin,
            key: record.key().map(Into::into),
            error: keep(&cut(
                told.error.as_deref().unwrap_or("no error is told"),
                MAX_ERROR,
            )),
            code: told.code.as_deref().map(&mut keep),
            attempts: told.attempts,
            time: told.time.or(record.timestamp()).unwrap_or(0),
            emission: told.emission,
            reference: told.reference,
            requested: None,
            refused: None,
            edited: None,
        }
    }

    pub(super) fn time(&self) -> String {
        moment::rfc3339(self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ours, resolution};
    use super::*;

    #[test]
    fn a_letter_keeps_what_lists_need() {
        let record = ours(7);
        let headers = dialect::headers(&record);
        let told = dialect::read(&record, &headers).unwrap();
        let letter = Letter::of(&record, &headers, &told, &mut Words::default());
        assert_eq!(letter.id.to_string(), "shipping.dead-letters/0/7");
        assert_eq!(letter.origin.as_ref().unwrap().to_string(), "orders/3/41");
        assert_eq!(&*letter.error, "order o-17 has no address");
        assert_eq!(letter.time(), "2026-01-31T12:00:00.000Z");
        assert_eq!((letter.attempts, letter.emission), (Some(5), false));
    }

    #[test]
    fn a_resolution_names_its_letter() {
        for outcome in Outcome::ALL {
            let record = resolution(9, "shipping.dead-letters/0/7", outcome.name());
            let found = Resolution::read(&dialect::headers(&record)).unwrap();
            assert_eq!((found.of.offset, found.outcome), (7, outcome));
            assert_eq!(found.mark.actor, "ann");
        }
        assert_eq!(Resolution::read(&dialect::headers(&ours(7))), None);
    }
}
