//! Why a request has no reply, and whether its command may be carried out.

use std::time::Duration;

use events_core::Error;

use crate::error::KafkaError;
use crate::producer::PublishFailed;

/// A request has no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFailed {
    /// As many requests wait as are allowed. The command was not sent.
    #[error(
        "{command} was not sent: {most} requests wait for their replies already; let some end first, or raise `max_requests` of the producer"
    )]
    TooMany {
        /// Wire name of the command.
        command: &'static str,
        /// Most requests that wait at once.
        most: usize,
    },
    /// The topic of the reply does not exist. The command was not sent.
    #[error(
        "{command} was not sent: the topic `{topic}`, where its reply {reply} would come, does not exist; start its owner `{owner}` first, or make the topic"
    )]
    NoTopic {
        /// Wire name of the command.
        command: &'static str,
        /// Wire name of the reply.
        reply: &'static str,
        /// The reply's topic.
        topic: &'static str,
        /// The command's owner.
        owner: &'static str,
    },
    /// Nothing can read the reply. The command was not sent.
    #[error("{command} was not sent, since its reply {reply} could not be read")]
    NoReader {
        /// Wire name of the command.
        command: &'static str,
        /// Wire name of the reply.
        reply: &'static str,
        /// What happened.
        #[source]
        source: KafkaError,
    },
    /// The command was not sent, or perhaps was.
    #[error("the request failed")]
    Send(#[from] PublishFailed),
    /// No reply came in time.
    #[error(
        "no {reply} came from `{owner}` for {command} within {waited:?}; {}",
        if *.sent { "it was sent, and may still be carried out" } else { "it was not sent" }
    )]
    TimedOut {
        /// Wire name of the command.
        command: &'static str,
        /// Wire name of the reply that was waited for.
        reply: &'static str,
        /// The command's owner.
        owner: &'static str,
        /// How long the request took.
        waited: Duration,
        /// Whether the command was on its way.
        sent: bool,
    },
    /// Replies cannot be read any more; the next request starts anew.
    #[error(
        "the reply to {command} cannot be read any more: {reason}; it may still be carried out, and the next request reads anew"
    )]
    Broken {
        /// Wire name of the command.
        command: &'static str,
        /// What happened.
        reason: String,
    },
    /// The reply came, and cannot be decoded.
    #[error("{command} was answered, but its reply cannot be read")]
    Unreadable {
        /// Wire name of the command.
        command: &'static str,
        /// The decoder's error.
        #[source]
        source: Error,
    },
}

impl RequestFailed {
    /// Whether the command may be carried out in spite of the error.
    pub fn may_be_carried_out(&self) -> bool {
        match self {
            Self::TooMany { .. } | Self::NoTopic { .. } | Self::NoReader { .. } => false,
            Self::Send(failed) => failed.may_be_written(),
            Self::TimedOut { sent, .. } => *sent,
            Self::Broken { .. } | Self::Unreadable { .. } => true,
        }
    }
}
