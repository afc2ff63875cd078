//! Why an event was not published, and whether it may have been.

use events_core::Error;
use events_runtime::PublishError;

/// An event was not published, or perhaps was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishFailed {
    /// The event has no form in its encoding. It was not written.
    #[error("{event} was not written")]
    Encode {
        /// Wire name of the event type.
        event: &'static str,
        /// The codec's own error.
        #[source]
        source: Error,
    },
    /// The producer was closed before the event was enqueued. It was not written.
    #[error(
        "{event} was not written: the producer is closed; publish before it is closed, or connect another one"
    )]
    Closed {
        /// Wire name of the event type.
        event: &'static str,
    },
    /// The id that it was given is empty. It was not written.
    #[error(
        "{event} was not written: its id is empty; give it one that no other event of its source has, such as `edge_id()`"
    )]
    NoId {
        /// Wire name of the event type.
        event: &'static str,
    },
    /// The client or the broker could not write it; whether it stands in the log the source says.
    #[error("{event} could not be published")]
    Rejected {
        /// Wire name of the event type.
        event: &'static str,
        /// What happened.
        #[source]
        source: PublishError,
    },
}

impl PublishFailed {
    /// Whether the event may stand in the log in spite of the error. Publishing it again may then write it twice, with
    /// different ids, unless it is published under [an id of its own](crate::Producer::publish_with_id).
    pub fn may_be_written(&self) -> bool {
        matches!(self, Self::Rejected { source, .. } if source.may_be_written())
    }
}

/// Some of many events were not published, or perhaps were. All others were.
#[derive(Debug, thiserror::Error)]
#[error("{} of {} events were not published, the first at index {}: {}", failed(self), self.written + failed(self), self.failures.first().map_or(0, |first| first.0), first(self))]
#[non_exhaustive]
pub struct PublishAllFailed {
    /// Each failure with the index of its event, in their order.
    pub failures: Vec<(usize, PublishFailed)>,
    /// Events that were written.
    pub written: usize,
    /// Set if the producer was closed under way: this event and all behind it were not looked at.
    pub stopped_at: Option<usize>,
}

fn failed(all: &PublishAllFailed) -> usize {
    all.failures.len()
}

fn first(all: &PublishAllFailed) -> String {
    let Some((_, failure)) = all.failures.first() else {
        return "the producer is closed".to_owned();
    };
    let mut text = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
