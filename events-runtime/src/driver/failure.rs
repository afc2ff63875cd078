//! What an attempt failed of, read from the user's error once.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use events_core::engine::{Panicked, causes, discard};
use events_core::{Class, DecodeError, Error, Terminal, error_code};

use crate::driver::Driver;
use crate::plan::GroupPlan;
use crate::spans;
use crate::transport::Record;

/// Whether a further attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    Some,
    /// Only a newer build can read it.
    NewBuild,
    None,
}

impl Hope {
    fn of(error: &Error, class: Class) -> Self {
        if Terminal::is_in(error) {
            return Self::None;
        }
        match causes(error).find_map(|cause| cause.downcast_ref::<DecodeError>()) {
            Some(DecodeError::Malformed { found, known, .. }) if found > known => Self::NewBuild,
            None if class != Class::Terminal => Self::Some,
            Some(_) | None => Self::None,
        }
    }
}

/// An error of an attempt. Its text, its sources and its `Drop` are code of users, which may panic: so they are called here,
/// once, and nowhere later.
pub(super) struct Failure {
    /// What headers, logs and the status tell of it.
    pub(super) error: Error,
    pub(super) class: Class,
    pub(super) hope: Hope,
    /// It could not be decoded.
    pub(super) undecoded: bool,
    /// For the attempt's span.
    pub(super) kind: &'static str,
}

impl Failure {
    fn read(group: &GroupPlan, error: &Error) -> Self {
        let class = group.class_of(error);
        Self {
            error: told(error, group.settings.error_texts),
            class,
            hope: Hope::of(error, class),
            undecoded: causes(error).any(|cause| cause.is::<DecodeError>()),
            kind: spans::kind_of(error),
        }
    }
}

impl<R: Record> Driver<R> {
    /// Reads a user's error, and drops it.
    pub(super) fn failure(&self, error: Error) -> Failure {
        let group = &self.lane.group;
        let read = catch_unwind(AssertUnwindSafe(|| Failure::read(group, &error)));
        let failure = read.unwrap_or_else(|panic| {
            let panic = Panicked::error(panic).context("the text of the error that was returned");
            let class = catch_unwind(AssertUnwindSafe(|| Class::carried_by(&error)));
            let class = class.ok().flatten().unwrap_or(Class::Transient);
            Failure {
                error: told(&panic, group.settings.error_texts),
                class,
                hope: Hope::of(&panic, class),
                undecoded: false,
                kind: spans::kind_of(&panic),
            }
        });
        if let Err(panic) = discard(error) {
            self.say_beside(panic.context("the error that was returned, when it was dropped"));
        }
        failure
    }

    /// Logs an error of an attempt that has failed of another one.
    pub(super) fn say_beside(&self, error: Error) {
        let error = told(&error, self.lane.group.settings.error_texts);
        let offset = self.current.as_ref().map(|work| work.record.offset());
        tracing::warn!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset, error = format!("{error:#}"),
            "a failed attempt panicked once more; what it failed of first counts"
        );
    }
}

/// Most bytes of an error's text, its causes included.
const MOST: usize = 16 * 1024;
/// Most causes that are told.
const CAUSES: usize = 64;

/// An error without code of users: the texts of its chain, or its code alone.
fn told(error: &Error, texts: bool) -> Error {
    let code = error_code(error);
    if !texts {
        let text = code.clone();
        let cause = None;
        return Error::new(Told { text, code, cause });
    }
    let mut room = MOST;
    let mut read = Vec::new();
    for cause in causes(error).take(CAUSES) {
        let mut text = Text {
            text: String::new(),
            room,
        };
        // Cut short by `Text`, so an error is no fault here.
        let _ = write!(text, "{cause}");
        room -= text.text.len();
        read.push(text.text);
        if room == 0 {
            break;
        }
    }
    let chain = read.into_iter().rev().fold(None, |cause, text| {
        let code = code.clone();
        Some(Box::new(Told { text, code, cause }))
    });
    // A chain has at least the error itself.
    chain.map_or_else(|| Error::msg(code), |told| Error::new(*told))
}

/// Keeps the beginning of a text, however long that would be.
struct Text {
    text: String,
    room: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let left = self.room - self.text.len();
        let fits = more.floor_char_boundary(left);
        self.text.push_str(&more[..fits]);
        match fits == more.len() {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

/// What is told of an error.
#[derive(Debug)]
struct Told {
    text: String,
    code: String,
    cause: Option<Box<Told>>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Told {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// The code of an error: of one that an attempt failed of, what was read from it.
pub(crate) fn code(error: &Error) -> String {
    let told = error.downcast_ref::<Told>();
    told.map_or_else(|| error_code(error), |told| told.code.clone())
}
