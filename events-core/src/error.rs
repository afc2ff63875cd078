//! What a handler may answer when it did not succeed.

use std::fmt;

/// The error of a handler: any error, with its chain of causes.
///
/// An error retries with backoff; one that carries [`Terminal`] anywhere in its chain does not.
pub type Error = anyhow::Error;

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

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

impl Terminal {
    /// Wraps the cause.
    pub fn new(cause: impl Into<Error>) -> Self {
        Self(cause.into())
    }

    /// Builds the error from a text alone.
    pub fn msg(text: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self(Error::msg(text))
    }

    /// Whether `error`, or one of the contexts put around it, is terminal.
    pub fn is_in(error: &Error) -> bool {
        error.downcast_ref::<Self>().is_some()
            || error
                .chain()
                .any(|cause| cause.downcast_ref::<Self>().is_some())
    }
}

impl fmt::Display for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Terminal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

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
