//! What a handler may answer when it did not succeed.

mod envelope;
mod mark;

pub use self::envelope::EnvelopeError;

pub use mark::{causes, error_code};

/// The error of a handler: any error, with its chain of causes.
///
/// An error retries with backoff, unless its chain carries [`Terminal`] or [`Unavailable`]; see [`Classify`].
pub type Error = anyhow::Error;

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What becomes of a record whose attempt failed with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// It is tried again, within the handler's bounds.
    Transient,
    /// No retry can heal it: it goes to the dead-letter topic at once.
    Terminal,
    /// What the handler depends on is down: the handler waits until that is back, and the failure does not count
    /// against the record.
    Unavailable,
}

impl Class {
    /// The class that an error carries, anywhere in its chain; the outermost counts. None if it carries none.
    ///
    /// # Examples
    ///
    /// ```
    /// use events_core::{Class, Classify, Error};
    ///
    /// let error = Error::msg("connection refused").unavailable().context("no stock");
    /// assert_eq!(Class::carried_by(&error), Some(Class::Unavailable));
    /// ```
    pub fn carried_by(error: &Error) -> Option<Self> {
        mark::find(error, &mut |cause| {
            if cause.is::<Terminal>() || cause.is::<DecodeError>() {
                Some(Self::Terminal)
            } else {
                cause.is::<Unavailable>().then_some(Self::Unavailable)
            }
        })
    }
}

/// What a handler may return in `Err`: all that `?` makes an [`Error`] of. Of its own so that the compiler names the remedy.
#[diagnostic::on_unimplemented(
    message = "a handler cannot fail with `{Self}`",
    label = "not a type that implements `std::error::Error`",
    note = "the error of a handler is any type that implements `std::error::Error`, and is `Send`, `Sync` and `'static`; for any of them \
            return `events_core::Result` or `events_kafka::Result`, into which `?` takes them",
    note = "of text make an error by `Error::msg(text)`, and of a boxed error or an `eyre::Report` by `Error::from_boxed(error.into())`"
)]
pub trait Failure {
    /// The error that the engine keeps.
    fn into_error(self) -> Error;
}

// Otherwise the compiler would name `anyhow` and not the remedy.
#[diagnostic::do_not_recommend]
impl<E: Into<Error>> Failure for E {
    fn into_error(self) -> Error {
        self.into()
    }
}

/// Says of an error, where it arises, what it means for the record.
///
/// # Examples
///
/// ```
/// use events_core::{Class, Classify, Result, error_code};
///
/// fn parse(sku: &str) -> Result<u32> {
///     sku.parse().terminal().code("sku.unreadable")
/// }
/// let error = parse("x").unwrap_err();
/// assert_eq!(Class::carried_by(&error), Some(Class::Terminal));
/// assert_eq!(error_code(&error), "sku.unreadable");
/// ```
pub trait Classify {
    /// What it becomes: an [`Error`], or a [`Result`] with it.
    type Classified;
    /// Marks it as [`Terminal`].
    fn terminal(self) -> Self::Classified;
    /// Marks it as [`Unavailable`].
    fn unavailable(self) -> Self::Classified;
    /// Gives it a code, which [`error_code`] tells.
    fn code(self, code: &'static str) -> Self::Classified;
}

impl Classify for Error {
    type Classified = Self;

    fn terminal(self) -> Self {
        Terminal::new(self).into()
    }

    fn unavailable(self) -> Self {
        Unavailable::new(self).into()
    }

    fn code(self, code: &'static str) -> Self {
        mark::coded(self, code)
    }
}

impl<T, E: Into<Error>> Classify for Result<T, E> {
    type Classified = Result<T>;

    fn terminal(self) -> Result<T> {
        self.map_err(|error| error.into().terminal())
    }

    fn unavailable(self) -> Result<T> {
        self.map_err(|error| error.into().unavailable())
    }

    fn code(self, code: &'static str) -> Result<T> {
        self.map_err(|error| error.into().code(code))
    }
}

/// Marks an error that no retry can heal: the record goes to the dead-letter topic at once.
///
/// # Examples
///
/// ```
/// use events_core::{Result, Terminal};
///
/// fn parse(sku: &str) -> Result<u32> {
///     Ok(sku.parse::<u32>().map_err(Terminal::new)?)
/// }
/// assert!(Terminal::is_in(&parse("x").unwrap_err()));
/// ```
#[derive(Debug)]
pub struct Terminal(Error);

/// Marks an error that says that something the handler depends on is down.
///
/// # Delivery
///
/// The handler's lane takes no more of its records, and tries one at a time until one succeeds. Such a failure is no
/// attempt of the record: nothing is parked or dead-lettered because of it.
#[derive(Debug)]
pub struct Unavailable(Error);

/// A record's value could not be read as the event that its headers name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The record has no value (a tombstone).
    #[error("the record has no value, so it is no {event}")]
    NoValue {
        /// Wire name of the event type.
        event: &'static str,
    },
    /// The codec refused the value.
    #[error("the value is no {event} at version {known}{}", newer(.found, .known))]
    Malformed {
        /// Wire name of the event type.
        event: &'static str,
        /// The version that this build knows.
        known: u32,
        /// The version that the record says it has.
        found: u32,
        /// The codec's own error.
        #[source]
        source: Error,
    },
    /// An upcaster failed at a record of an earlier version.
    #[error("cannot bring {event} from version {from} to version {to} (upcaster {path})")]
    Upcast {
        /// Wire name of the event type.
        event: &'static str,
        /// The version that the upcaster takes.
        from: u32,
        /// The version that it should make of it.
        to: u32,
        /// Path of the function.
        path: &'static str,
        /// The upcaster's own error, or the codec's.
        #[source]
        source: Error,
    },
    /// The record is in CloudEvents structured mode, and its document is no event.
    #[error("the record is in CloudEvents structured mode, and cannot be read")]
    Envelope(#[from] EnvelopeError),
    /// The record was routed to a handler that does not take its type.
    #[error("no variant of {input} takes the event type {event}")]
    NotTaken {
        /// The handler's argument type.
        input: &'static str,
        /// Wire name of the event type.
        event: String,
    },
}

fn newer(found: &u32, known: &u32) -> String {
    if found > known {
        format!(": the record has version {found}, so deploy a build that knows it and redrive")
    } else {
        String::new()
    }
}
