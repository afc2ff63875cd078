//! The answer to one enqueued event.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use events_runtime::{PublishError, Written};
use tokio::sync::oneshot;

use super::deliveries::Outcome;
use super::failure::PublishFailed;

/// Tells when the broker has an enqueued event. Dropping it changes nothing about the event.
///
/// # Cancel safety
///
/// Cancel safe: it may be awaited by reference and again.
#[derive(Debug)]
#[must_use = "the event is enqueued; only the receipt tells whether it was written"]
pub struct Receipt {
    event: &'static str,
    answer: oneshot::Receiver<Outcome>,
}

impl Receipt {
    pub(super) fn new(event: &'static str, answer: oneshot::Receiver<Outcome>) -> Self {
        Self { event, answer }
    }
}

impl Future for Receipt {
    type Output = Result<Written, PublishFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        let lost = || Err(PublishError::Lost("its producer is gone".to_owned()));
        let outcome = answer.unwrap_or_else(|_| lost());
        Poll::Ready(outcome.map_err(|source| PublishFailed::Rejected {
            event: self.event,
            source,
        }))
    }
}
