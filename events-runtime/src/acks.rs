//! Answers of the broker on their way to a lane.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::{PublishError, Written};
use crate::wake::WakeCell;

/// One answer.
#[derive(Debug)]
pub(crate) struct Ack {
    pub(crate) number: u64,
    pub(crate) outcome: Result<Written, PublishError>,
}

/// A lane's letter box for answers. It belongs to one assignment: answers for an earlier one find nobody.
pub(crate) struct Acks {
    inbox: Mutex<Vec<Ack>>,
    wake: Arc<WakeCell>,
}

impl Acks {
    pub(crate) fn new(wake: Arc<WakeCell>) -> Self {
        Self {
            inbox: Mutex::new(Vec::new()),
            wake,
        }
    }

    pub(crate) fn push(&self, number: u64, outcome: Result<Written, PublishError>) {
        let first = {
            let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.push(Ack { number, outcome });
            inbox.len() == 1
        };
        // One wake-up serves all answers until the lane has fetched them.
        if first {
            self.wake.wake();
        }
    }

    /// Swaps the answers into `into`, which must be empty.
    pub(crate) fn take(&self, into: &mut Vec<Ack>) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *inbox, into);
    }
}

impl fmt::Debug for Acks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acks").finish_non_exhaustive()
    }
}
