//! A running service, as the endpoint sees it.

use events_runtime::Status;

/// A running service, as the endpoint sees it.
pub trait Running: Control {
    /// Its name.
    fn service(&self) -> String;

    /// Asks its lanes what they do now.
    fn ask(&self);

    /// Whether all have answered. One whose thread a handler blocks does not.
    fn has_answered(&self) -> bool;

    /// What they said last.
    fn status(&self) -> Status;

    /// Why it is not ready: a line each; none if it is.
    fn unready(&self) -> Vec<String>;
}

/// What can be told to a running service.
pub trait Control: Send + Sync + 'static {
    /// Holds a handler in all its lanes, without leaving the group.
    ///
    /// # Errors
    ///
    /// The service has no such handler, or cannot hold it.
    fn pause(&self, handler: &str) -> Result<(), Refused>;

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// As [`pause`](Self::pause).
    fn resume(&self, handler: &str) -> Result<(), Refused>;
}

/// What was told to a service is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Nobody has that name.
    #[error("{0}")]
    Unknown(String),
    /// It has no way to do that.
    #[error("{0}")]
    Unsupported(String),
}
