//! What a check finds.

use std::fmt;

use serde::Serialize;

use super::uses::Reader;
use crate::check::Fault;
use crate::escape;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work, or will not.
    Error,
    /// Something is likely not meant.
    Warning,
    /// Something to know.
    Note,
}

/// A fault between services, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and the remedy.
    #[serde(flatten)]
    pub fault: Fault,
    /// The service that can put it right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The event type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The handler, `service/handler`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// Where the handler or the event stands, `file:line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Finding {
    /// A finding of this severity, of nobody yet.
    pub fn of(severity: Severity, fault: Fault) -> Self {
        Self {
            severity,
            fault,
            service: None,
            event: None,
            handler: None,
            location: None,
        }
    }

    pub(crate) fn error(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::of(Severity::Error, fault(code, &message, remedy))
    }

    pub(crate) fn warning(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::of(Severity::Warning, fault(code, &message, remedy))
    }

    pub(crate) fn note(code: &'static str, message: String, remedy: impl Into<String>) -> Self {
        Self::of(Severity::Note, fault(code, &message, remedy))
    }

    /// The same, with the event type that it is about.
    #[must_use]
    pub fn event(mut self, event: &str) -> Self {
        self.event = Some(event.to_owned());
        self
    }

    /// The same, with the place that it is about.
    #[must_use]
    pub fn at(mut self, location: &str) -> Self {
        self.location = Some(location.to_owned());
        self
    }

    pub(crate) fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    pub(crate) fn handler(mut self, reader: Option<&Reader<'_>>) -> Self {
        if let Some(reader) = reader {
            self.service = Some(reader.service.to_owned());
            self.handler = Some(reader.title());
            let location = &reader.handler.location;
            self.location = (!location.is_empty()).then(|| location.clone());
        }
        self
    }
}

/// Names in messages and remedies come from manifests: none of them begins a line of its own.
fn fault(code: &'static str, message: &str, remedy: impl Into<String>) -> Fault {
    Fault::new(code, message, escape::line(&remedy.into()))
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [{}] {}", self.severity, self.fault.code, self.fault)
    }
}
