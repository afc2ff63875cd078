//! What is drawn: events and handlers in the lanes of their services.

mod build;
mod data;

pub(crate) use build::{INSET, severity};

use events_core::company::Severity;
use serde_json::Value;

use crate::layout::Layout;

/// The choreography of a company, laid out: time from left to right, a lane for each service.
///
/// An event stands in the lane of the service that publishes it; the first by name if there are several; in a lane
/// called *outside* if nobody here does.
///
/// # Examples
///
/// See [the crate](crate).
#[derive(Debug, Clone)]
pub struct Picture {
    pub(crate) title: String,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Link>,
    pub(crate) layout: Layout,
    /// All that the page tells, for its script.
    pub(crate) data: Value,
}

/// A service.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) outside: bool,
}

/// An event or a handler.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// `e0`, `e1` … and `h0`, `h1` …: safe in an attribute, whatever the name is.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The whole name.
    pub(crate) name: String,
    /// As much of it as fits.
    pub(crate) label: String,
    pub(crate) note: String,
    /// What a screen reader says.
    pub(crate) spoken: String,
    pub(crate) lane: usize,
    pub(crate) deprecated: bool,
    /// An event that tells of a failure.
    pub(crate) failure: bool,
    /// The worst of what was found.
    pub(crate) severity: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Command,
    Handler,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Command => "command",
            Self::Handler => "handler",
        }
    }
}

/// Between an event and a handler, by index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The event tells of a failure of the handler that emits it.
    pub(crate) failure: bool,
}
