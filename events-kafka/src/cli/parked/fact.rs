//! A record of a parked log, as far as people need it.

use std::borrow::Cow;
use std::sync::Arc;

use events_core::{RecordView, header};
use events_runtime::{MOST_TOKEN, parked_print, parked_weight};

use super::names;
use crate::cli::bytes::cut;
use crate::cli::headers::{Headers, number, text};
use crate::cli::moment::Millis;
use crate::cli::place::Place;

/// Most characters of an error that are kept.
const MAX_ERROR: usize = 200;

/// A record that waits, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Place,
    pub(super) handler: Arc<str>,
    pub(super) event: Option<Arc<str>>,
    pub(super) key: Option<Arc<[u8]>>,
    /// Where the record came from.
    pub(super) origin: Place,
    print: u64,
    /// What its lane keeps of it in memory, roughly.
    pub(super) size: usize,
    pub(super) attempts: u32,
    /// When it is tried next.
    pub(super) next: Millis,
    /// When it was parked.
    pub(super) since: Millis,
    /// The first line.
    pub(super) error: Arc<str>,
    pub(super) code: Option<Arc<str>>,
    /// The dead letter that it was redriven from.
    pub(super) redrive: Option<Arc<str>>,
    /// What somebody asked for that its lane has not done yet.
    pub(super) asked: Option<Arc<str>>,
}

/// What makes two copies of a record one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// With the record's print: a topic that is made anew gives its offsets a second time.
    Origin(Arc<str>, i64, u64),
    Redrive(Arc<str>),
}

impl Entry {
    pub(super) fn identity(&self) -> Identity {
        match &self.redrive {
            Some(letter) => Identity::Redrive(Arc::clone(letter)),
            None => Identity::Origin(Arc::clone(&self.handler), self.origin.offset, self.print),
        }
    }
}

/// A record of a parked log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Claim {
        generation: i64,
        token: String,
    },
    /// A record that waits; no token on a redrive, which counts whoever owns the log.
    Parked(Option<String>, Box<Entry>),
    Failed {
        token: String,
        at: i64,
        attempts: u32,
        next: Millis,
        error: Arc<str>,
    },
    Done {
        token: String,
        at: i64,
    },
    /// Somebody gave up the claim with that token.
    TakeOver {
        token: String,
    },
    /// Somebody asked for something.
    Asked {
        at: i64,
        what: Arc<str>,
    },
}

impl Fact {
    /// None for what is no fact known here.
    pub(super) fn read(record: &dyn RecordView, headers: &Headers<'_>) -> Option<Self> {
        let word = |name: &str| text(headers, name.as_bytes());
        let token = || {
            let token = word(names::TOKEN).filter(|token| token.len() <= MOST_TOKEN);
            token.map(Cow::into_owned)
        };
        let at = || number(headers, names::AT.as_bytes());
        let entry = || Entry::read(record, headers).map(Box::new);
        Some(
            match (&*word(names::FACT)?, word(names::ACTION).as_deref()) {
                ("claim", _) => Self::Claim {
                    generation: number(headers, names::GENERATION.as_bytes())?,
                    token: token()?,
                },
                ("parked", _) => Self::Parked(Some(token()?), entry()?),
                ("action", Some("redrive")) => Self::Parked(None, entry()?),
                ("failed", _) => Self::Failed {
                    token: token()?,
                    at: at()?,
                    attempts: number(headers, names::ATTEMPTS.as_bytes()).unwrap_or(0),
                    next: number(headers, names::NEXT.as_bytes()).unwrap_or(0),
                    error: cut(&word(names::ERROR).unwrap_or_default(), MAX_ERROR).into(),
                },
                ("done", _) => Self::Done {
                    token: token()?,
                    at: at()?,
                },
                ("action", Some("take-over")) => Self::TakeOver { token: token()? },
                ("action", Some(action)) => {
                    let actor = word(names::ACTOR).unwrap_or("somebody".into());
                    let reason = word(names::REASON);
                    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
                    Self::Asked {
                        at: at()?,
                        what: format!("{action} by {actor}{reason}").into(),
                    }
                }
                _ => return None,
            },
        )
    }
}

impl Entry {
    fn read(record: &dyn RecordView, headers: &Headers<'_>) -> Option<Self> {
        let word = |name: &str| text(headers, name.as_bytes());
        let shared = |name: &str| word(name).map(|text| Arc::from(&*text));
        Some(Self {
            id: Place::of(record),
            handler: shared(names::HANDLER)?,
            event: shared(header::TYPE),
            key: record.key().map(Into::into),
            origin: Place::new(
                shared(names::TOPIC)?,
                number(headers, names::PARTITION.as_bytes())?,
                number(headers, names::OFFSET.as_bytes())?,
            ),
            print: parked_print(record),
            size: parked_weight(record),
            attempts: number(headers, names::ATTEMPTS.as_bytes()).unwrap_or(0),
            next: number(headers, names::NEXT.as_bytes()).unwrap_or(0),
            since: number(headers, names::SINCE.as_bytes())
                .or(record.timestamp())
                .unwrap_or(0),
            error: cut(&word(names::ERROR).unwrap_or_default(), MAX_ERROR).into(),
            code: shared(names::CODE),
            redrive: word(names::FACT)
                .filter(|fact| fact == "action")
                .and_then(|_| shared(names::REDRIVE)),
            asked: None,
        })
    }
}
