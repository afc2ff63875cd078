//! The options of `#[handler]`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{LitInt, LitStr, Path, Type};

use crate::errors::Errors;
use crate::options::{self, Given, Usage, Value};
use crate::{duration, instant};

const FUNCTION: [Usage; 16] = [
    ("name", "`name = \"reserve_stock\"`"),
    ("renamed_from", "`renamed_from = \"reserve\"`"),
    ("service", "`service = \"inventory\"`"),
    ("group", "`group = \"inventory-audit\"`"),
    ("start", START),
    ("concurrency", "`concurrency = 64`"),
    ("retry", "`retry(attempts = 5, backoff = \"50ms..1s\")`"),
    ("park", PARK),
    ("exhausted", EXHAUSTED),
    ("ordering", ORDERING),
    ("timeout", "`timeout = \"30s\"`"),
    ("dedupe", "`dedupe = false`"),
    (
        "allow_cycle",
        "`allow_cycle = \"OrderPlaced\"`, or `allow_cycle = (\"OrderPlaced\", \"OrderShipped\")`",
    ),
    ("emits", "`emits(OrderShipped, OrderRefused)`"),
    ("blocking", "`blocking`"),
    ("crate", "`crate = path::to::events_core`"),
];

const RETRY: [Usage; 2] = [
    ("attempts", "`attempts = 5`"),
    ("backoff", "`backoff = \"50ms..1s\"`"),
];

const PARKED: [Usage; 2] = [
    ("backoff", "`backoff = \"1m..1h\"`"),
    ("max_age", "`max_age = \"1d\"`"),
];

const PARK: &str = "`park(backoff = \"1m..1h\", max_age = \"1d\")`, or `park = \"off\"`";
const EXHAUSTED: &str = "`exhausted = \"dead_letter\"`, or `exhausted = \"block\"`";
const ORDERING: &str = "`ordering = \"key\"`, or `ordering = \"none\"`";
const START: &str =
    "`start = \"earliest\"`, `start = \"latest\"`, or a time, `start = \"2024-01-31T00:00:00Z\"`";

/// What stands in `#[handler(…)]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    /// The name that it had first.
    pub(super) renamed_from: Option<LitStr>,
    pub(super) service: Option<LitStr>,
    pub(super) group: Option<LitStr>,
    /// Whether a group was named at all, well or not.
    pub(super) group_given: bool,
    pub(super) start: Option<(Ident, Start)>,
    pub(super) concurrency: Option<(u16, Span)>,
    pub(super) attempts: Option<(u32, Span)>,
    pub(super) backoff: Option<(Duration, Duration)>,
    pub(super) park: Option<Park>,
    pub(super) exhausted: Option<Exhausted>,
    pub(super) ordering: Option<Ordering>,
    pub(super) timeout: Option<Duration>,
    pub(super) dedupe: Option<bool>,
    pub(super) allow_cycle: Vec<LitStr>,
    pub(super) emits: Vec<Type>,
    pub(super) blocking: Option<Ident>,
    pub(super) krate: Option<Path>,
}

/// Where a group of its own starts.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Earliest,
    Latest,
    /// Milliseconds since 1970.
    Time(i64),
}

/// Whether failed keys are parked.
pub(super) enum Park {
    Off,
    On {
        backoff: Option<(Duration, Duration)>,
        max_age: Option<(Duration, Span)>,
    },
}

/// What becomes of a record that failed every attempt.
#[derive(Clone, Copy)]
pub(super) enum Exhausted {
    DeadLetter,
    Block,
}

/// Whether keys are kept in order.
#[derive(Clone, Copy)]
pub(super) enum Ordering {
    Key,
    None,
}

impl Options {
    pub(super) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for given in options::read(tokens, &FUNCTION, errors) {
            match given.name().as_str() {
                "name" => options.name = given.string(errors),
                "renamed_from" => options.renamed_from = given.string(errors),
                "service" => options.service = given.string(errors),
                "group" => {
                    options.group_given = true;
                    options.group = given.string(errors);
                }
                "start" => {
                    options.start = start(&given, errors).map(|start| (given.name.clone(), start))
                }
                "concurrency" => options.concurrency = given.integer(errors),
                "retry" => options.retry(&given, errors),
                "park" => options.park = park(&given, errors),
                "exhausted" => {
                    let choices = [
                        ("dead_letter", Exhausted::DeadLetter),
                        ("block", Exhausted::Block),
                    ];
                    options.exhausted = choice(&given, choices, errors);
                }
                "ordering" => {
                    let choices = [("key", Ordering::Key), ("none", Ordering::None)];
                    options.ordering = choice(&given, choices, errors);
                }
                "timeout" => options.timeout = text(&given, duration::parse, errors),
                "dedupe" => options.dedupe = given.flag(errors),
                "allow_cycle" => {
                    options.allow_cycle = given.one_or_several(errors).unwrap_or_default()
                }
                "emits" => options.emits = given.list(errors).unwrap_or_default(),
                "blocking" => {
                    let blocking = given.flag(errors).unwrap_or_default();
                    options.blocking = blocking.then(|| given.name.clone());
                }
                _ => options.krate = given.parse(errors),
            }
        }
        options
    }

    fn retry(&mut self, given: &Given, errors: &mut Errors) {
        let Value::List(group) = &given.value else {
            given.misused(errors);
            return;
        };
        for given in options::read(group.stream(), &RETRY, errors) {
            match given.name().as_str() {
                "attempts" => self.attempts = given.integer(errors),
                _ => self.backoff = text(&given, duration::parse_range, errors),
            }
        }
    }
}

fn park(given: &Given, errors: &mut Errors) -> Option<Park> {
    let Value::List(group) = &given.value else {
        return choice(given, [("off", ())], errors).map(|()| Park::Off);
    };
    let (mut backoff, mut max_age) = (None, None);
    for given in options::read(group.stream(), &PARKED, errors) {
        match given.name().as_str() {
            "max_age" => {
                let literal = given.string(errors);
                max_age = literal.and_then(|literal| {
                    let age = duration::parse_age(&literal.value());
                    age.map(|age| (age, literal.span()))
                        .map_err(|message| errors.at(&literal, message))
                        .ok()
                });
            }
            _ => backoff = text(&given, duration::parse_range, errors),
        }
    }
    Some(Park::On { backoff, max_age })
}

/// One of several words.
fn choice<T: Copy, const N: usize>(
    given: &Given,
    choices: [(&str, T); N],
    errors: &mut Errors,
) -> Option<T> {
    let literal = given.string(errors)?;
    let word = literal.value();
    let chosen = choices.iter().find(|(known, _)| *known == word);
    if chosen.is_none() {
        let (name, usage) = (given.name(), given.usage);
        errors.at(
            &literal,
            format!("`{word}` is no value of `{name}`: write {usage}"),
        );
    }
    chosen.map(|(_, value)| *value)
}

fn text<T>(
    given: &Given,
    read: impl FnOnce(&str) -> Result<T, String>,
    errors: &mut Errors,
) -> Option<T> {
    let literal = given.string(errors)?;
    read(&literal.value())
        .map_err(|message| errors.at(&literal, message))
        .ok()
}

fn start(given: &Given, errors: &mut Errors) -> Option<Start> {
    let Value::Equals(tokens) = &given.value else {
        given.misused(errors);
        return None;
    };
    if let Ok(millis) = syn::parse2::<LitInt>(tokens.clone()) {
        return errors.keep(millis.base10_parse()).map(Start::Time);
    }
    let literal = given.string(errors)?;
    match literal.value().as_str() {
        "earliest" => Some(Start::Earliest),
        "latest" => Some(Start::Latest),
        time => {
            let millis = instant::parse(time);
            if millis.is_none() {
                errors.at(
                    &literal,
                    format!("`{time}` is no place to start: write {START}"),
                );
            }
            millis.map(Start::Time)
        }
    }
}
