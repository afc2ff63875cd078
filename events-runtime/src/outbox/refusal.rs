//! What becomes of a record that a topic refuses for good.

use std::sync::Arc;
use std::time::Duration;

use events_core::Error;

use super::Outbox;
use super::sending::{Sending, cost};
use crate::dead_letter::{letters, reference, shrunk, untimed};
use crate::transport::{PublishError, Record};
use crate::work::Kind;

/// How long to wait before a dead letter that was refused is tried again.
const REFUSED_RETRY: Duration = Duration::from_secs(1);

impl<R: Record> Outbox<R> {
    /// A refusal that cannot heal never runs the handler again: the record and the emission are dead-lettered together.
    /// A refused dead letter or fact is tried for ever, because nothing else may become of it. `number` if it was sent.
    pub(super) fn refused(
        &mut self,
        number: Option<u64>,
        mut sending: Sending,
        error: PublishError,
        done: &mut Vec<(u64, usize)>,
    ) {
        let large = matches!(error, PublishError::TooLarge(_));
        // It may be its time: that is found out by going without one.
        let timed = sending.record.timestamp.is_some();
        let untimely = matches!(error, PublishError::Untimely(_))
            || (timed && matches!(error, PublishError::Invalid(_)));
        let (PublishError::Refused(reason)
        | PublishError::TooLarge(reason)
        | PublishError::Invalid(reason)
        | PublishError::Untimely(reason)) = error
        else {
            return;
        };
        // A time is nobody's fault for long: with it in a header the record is written, and without one of its own it is this
        // machine's clock that the topic refuses.
        if sending.kind != Kind::Emissions || untimely {
            let reduced = match (large, untimely) {
                (true, _) => self.shrink(&mut sending),
                (_, true) => self.set_time_aside(&mut sending, &reason),
                _ => false,
            };
            if !reduced {
                self.hold(&sending, &reason, large, untimely);
                self.make_whole(&mut sending);
            }
            self.one_by_one |= large;
            match number {
                // Others may be under way before it and behind it: they go out again in their order.
                Some(number) => self.lost.push((number, sending)),
                None => self.unsent.push_front(sending),
            }
            return;
        }
        if let Some(batch) = self.batches[sending.batch].as_mut() {
            let handler = &self.lane.topic.handlers[batch.handler];
            let topic = &sending.record.topic;
            let error = Error::msg(format!(
                "the emission to topic `{topic}` was refused: {reason}"
            ));
            tracing::error!(
                handler = %handler.stable_name, partition = %self.lane.partition, offset = batch.work.record.offset(),
                error = %error, "an emission cannot be published: it goes to the dead letters with its record"
            );
            handler.meters.dead_lettered.add(1);
            let letters = letters(
                &self.lane,
                handler,
                &batch.work,
                &error,
                std::slice::from_ref(&sending.record),
            );
            // The record's own letter comes first, and is written once, however many of its emissions are refused.
            let letters = letters.into_iter().skip(usize::from(batch.lettered));
            batch.lettered = true;
            batch.remaining += letters.len();
            for record in letters {
                self.bytes += cost(&record);
                let kind = Kind::DeadLetter;
                self.unsent.push_back(Sending {
                    record,
                    batch: sending.batch,
                    kind,
                    alone: false,
                    whole: None,
                });
            }
        }
        self.settled(sending, None, done);
    }

    /// The record gives up what it can do without, and a dead letter its record at last, if there is anything left.
    fn shrink(&mut self, sending: &mut Sending) -> bool {
        let dialects = self.lane.group.settings.dead_letter_headers;
        let shrunk = shrunk(&sending.record, dialects);
        let (partition, topic) = (&self.lane.partition, &sending.record.topic);
        let before = sending.record.size();
        let small = match shrunk {
            Some(small) => {
                tracing::warn!(%partition, %topic, size = small.size(), before, "too large: it goes out without the error's text");
                small
            }
            None => {
                let letter = sending.kind == Kind::DeadLetter && sending.alone;
                let letter = letter.then(|| reference(&sending.record));
                let Some(small) = letter.flatten() else {
                    return false;
                };
                let origin = self.origin_of(sending);
                sending.whole = Some(Arc::clone(&sending.record));
                tracing::error!(
                    %partition, %topic, offset = origin, bytes = before,
                    "the dead-letter topic does not take a record for its size: the dead letter names the record's origin instead of carrying it; raise the topic's `max.message.bytes` above that, and copy the record before its topic deletes it"
                );
                small
            }
        };
        self.bytes += cost(&small);
        self.bytes -= cost(&sending.record);
        sending.record = Arc::new(small);
        true
    }

    /// The topic does not take the dead letter in its smallest form either. Once it takes any, it may take the whole one.
    fn make_whole(&mut self, sending: &mut Sending) {
        if let Some(whole) = sending.whole.take() {
            self.bytes += cost(&whole);
            self.bytes -= cost(&sending.record);
            sending.record = whole;
        }
    }

    fn origin_of(&self, sending: &Sending) -> i64 {
        let batch = self.batches.get(sending.batch).and_then(Option::as_ref);
        batch.map_or(-1, |batch| batch.work.record.offset())
    }

    /// The record's time goes into a header, if it has one of its own.
    fn set_time_aside(&mut self, sending: &mut Sending, reason: &str) -> bool {
        let Some(untimed) = untimed(&sending.record, sending.kind) else {
            return false;
        };
        tracing::warn!(
            partition = %self.lane.partition, topic = %sending.record.topic, timestamp = sending.record.timestamp, reason,
            "the topic refuses the record, as it does for a time out of its bounds: it is written with its time in a header; raise `message.timestamp.after.max.ms` \
             or `message.timestamp.before.max.ms` of the topic to keep it"
        );
        self.bytes += cost(&untimed);
        self.bytes -= cost(&sending.record);
        sending.record = Arc::new(untimed);
        true
    }

    /// Nothing goes out for a while, because the topic of this record does not take it.
    fn hold(&mut self, sending: &Sending, reason: &str, large: bool, untimely: bool) {
        let record = &sending.record;
        let topic = &record.topic;
        let role = match sending.kind {
            Kind::Emissions => "",
            _ if topic == self.lane.group.dead_letters.as_str() => "dead-letter ",
            _ => "parked ",
        };
        let remedy = match (large, untimely) {
            (true, _) => format!(
                "it has {} bytes: raise the topic's `max.message.bytes` above that",
                record.size()
            ),
            (_, true) => {
                "it has the time of this machine: set its clock right, or raise the topic's `message.timestamp.after.max.ms` \
                 and `message.timestamp.before.max.ms`"
                    .to_owned()
            }
            _ => "create the topic, grant the right, or mend the topic's settings".to_owned(),
        };
        let reason = format!(
            "the {role}topic `{topic}` refuses a record: {reason}; {remedy}, and it goes on by itself"
        );
        tracing::error!(partition = %self.lane.partition, reason, "the lane holds");
        self.pause(REFUSED_RETRY, reason);
    }
}
