//! How a service publishes, and what can go wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use events_core::Outgoing;
use events_runtime::{Publish, PublishError, Ticket, Written};

use crate::broker::Broker;

/// What goes wrong with publishing.
#[derive(Debug, Default)]
pub(crate) struct Sabotage {
    /// Topics that refuse records, with the reason.
    pub(crate) refused: BTreeMap<String, String>,
    /// The largest record of topics that take less than the broker does.
    pub(crate) limits: BTreeMap<String, usize>,
    /// The latest time of records of topics that refuse later ones.
    pub(crate) times: BTreeMap<String, i64>,
    /// They are sent in batches, so that the client does not say that it was the time.
    pub(crate) in_batches: bool,
    /// Times that the client's queue is full.
    pub(crate) full: usize,
    /// Records whose producer is lost, and whether they are written.
    pub(crate) lost: (usize, bool),
    /// Answers kept back; none while they are given at once.
    pub(crate) held: Option<Vec<Held>>,
}

/// An answer that is kept back.
pub(crate) struct Held {
    ticket: Ticket,
    outcome: Result<Written, PublishError>,
}

impl Held {
    pub(crate) fn complete(self) {
        self.ticket.complete(self.outcome);
    }

    /// The producer is lost before it could answer.
    pub(crate) fn lose(self) {
        self.ticket.complete(Err(lost()));
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// A service's producer.
#[derive(Debug)]
pub(crate) struct Producer(pub(crate) Broker);

impl Publish for Producer {
    fn enqueue(
        &self,
        record: &Arc<Outgoing>,
        ticket: Ticket,
    ) -> Result<(), (Ticket, PublishError)> {
        let mut state = self.0.state();
        if state.sabotage.full > 0 {
            state.sabotage.full -= 1;
            return Err((ticket, PublishError::Full));
        }
        let (lost_count, written_all_the_same) = state.sabotage.lost;
        let limits = &state.sabotage.limits;
        let limit = *limits
            .get(&*record.topic)
            .unwrap_or(&state.max_record_bytes);
        let latest = state.sabotage.times.get(&*record.topic).copied();
        let latest = latest.unwrap_or(i64::MAX);
        let refusal = state.sabotage.refused.get(&*record.topic).cloned();
        let (outcome, readers) = if lost_count > 0 {
            state.sabotage.lost.0 -= 1;
            let readers = if written_all_the_same {
                state
                    .publish(Arc::clone(record), self.0.now())
                    .map(|(_, readers)| readers)
            } else {
                Ok(Vec::new())
            };
            (Err(lost()), readers.unwrap_or_default())
        } else if let Some(reason) = refusal {
            (Err(PublishError::Refused(reason)), Vec::new())
        } else if let Some(time) =
            Some(record.timestamp.unwrap_or(self.0.now())).filter(|time| *time > latest)
        {
            let reason = format!("its time {time} is too late");
            // A client tells less of a record that it sent together with others.
            let error = match state.sabotage.in_batches {
                true => PublishError::Invalid(reason),
                false => PublishError::Untimely(reason),
            };
            (Err(error), Vec::new())
        } else if record.size() > limit {
            let reason = format!("it has {} bytes and may have {limit}", record.size());
            (Err(PublishError::TooLarge(reason)), Vec::new())
        } else {
            match state.publish(Arc::clone(record), self.0.now()) {
                Ok((written, readers)) => (Ok(written), readers),
                Err(error) => (Err(error), Vec::new()),
            }
        };
        let answer = Held { ticket, outcome };
        let answer = match &mut state.sabotage.held {
            Some(held) => {
                held.push(answer);
                None
            }
            None => Some(answer),
        };
        drop(state);
        readers.into_iter().for_each(std::task::Waker::wake);
        if let Some(answer) = answer {
            answer.complete();
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        self.0.now()
    }

    fn max_record_bytes(&self) -> usize {
        self.0.state().max_record_bytes
    }
}

fn lost() -> PublishError {
    PublishError::Lost("the test lost it on purpose".to_owned())
}
