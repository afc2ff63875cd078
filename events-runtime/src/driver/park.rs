//! When a record goes into the parked log, or stays there.

use std::time::Duration;

use events_core::{Error, Exhausted, Ordering, Park};

use crate::dead_letter::chain;
use crate::driver::Driver;
use crate::driver::failure::{Hope, code};
use crate::parking::alone;
use crate::parking::fact::{Standing, Writer};
use crate::parking::ledger::Pair;
use crate::parking::record::ParkedRecord;
use crate::parking::shared::ParkedShared;
use crate::transport::Record;
use crate::work::{Kind, Published, Work};

impl<R: Record> Driver<R> {
    /// Whether the record must wait behind others of its key that are parked. While no key is, that costs one load.
    pub(super) fn parks_behind(&self, work: &Work<R>) -> bool {
        let pair = Pair {
            handler: self.handler.hash,
            key: work.key,
        };
        let parked = self.lane.parked.as_ref();
        parked.is_some_and(|parked| parked.any() && parked.is_parked(pair))
            && work.record.parked().is_none()
            // It is given up without an attempt; a parked copy would be handled without what is left out.
            && work.record.left_out().is_nothing()
            // A failed record of the key that waits in the slot comes before it; what is parked then was redriven.
            && !self.held.holds(work.key)
            && work.attempt == 1
    }

    /// Appends a record behind others of its key. Past the bound of its key it is given up, so that no other key waits (D6).
    pub(super) fn park_behind(&mut self, mut work: Work<R>) {
        if let Some(parked) = self.lane.parked.clone() {
            if self.is_full(&parked, work.key) {
                // No attempt is made.
                work.attempt -= 1;
                return self.give_up(work, &self.no_room());
            }
            self.append(&parked, work, (0, None, Hope::Some), i64::MIN);
        }
    }

    /// Parks the key of a record that failed every attempt in its slot, if keys are parked here.
    pub(super) fn park(&mut self, work: Work<R>, error: &Error, hope: Hope) -> Option<Work<R>> {
        let (Some(parked), Some(park)) = (self.lane.parked.clone(), self.handler.park) else {
            return Some(work);
        };
        if self.is_full(&parked, work.key) {
            return Some(work);
        }
        let wait = match hope {
            Hope::None => park.max,
            _ => jitter(park.ceiling(1)),
        };
        let next = self.lane.publish.now().saturating_add(millis(wait));
        tracing::warn!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset = work.record.offset(),
            attempts = work.attempt, wait_ms = millis(wait), error = format!("{error:#}"), "a record failed every attempt: its key is parked"
        );
        let attempts = work.attempt;
        self.release(&work);
        self.append(&parked, work, (attempts, Some(error), hope), next);
        None
    }

    /// Whether as many records of a key are parked as may be, and further ones are given up.
    fn is_full(&self, parked: &ParkedShared, key: u64) -> bool {
        let handler = self.handler.hash;
        let most = self.lane.group.settings.parked_per_key;
        self.handler.exhausted != Exhausted::Block
            && parked.any()
            && parked.with(|pairs| pairs.count(Pair { handler, key }) >= most)
    }

    fn no_room(&self) -> Error {
        let most = self.lane.group.settings.parked_per_key;
        Error::msg(format!(
            "{most} earlier records of its key are parked, the most allowed: mend what they fail for, or raise `parked_per_key`"
        ))
    }

    fn append(
        &mut self,
        parked: &ParkedShared,
        mut work: Work<R>,
        (attempts, error, hope): (u32, Option<&Error>, Hope),
        next: i64,
    ) {
        let origin = work.record.offset();
        if work.record.key().is_none() || self.handler.ordering == Ordering::None {
            work.key = alone(origin);
        }
        let pair = Pair {
            handler: self.handler.hash,
            key: work.key,
        };
        parked.with(|pairs| pairs.append(pair, origin));
        self.handler.meters.parked.add(1);
        let now = self.lane.publish.now();
        let text = error.map(chain).unwrap_or_default();
        let code = error.map(code).unwrap_or_default();
        let mut standing = Standing {
            handler: &self.handler.stable_name,
            attempts,
            next: next.max(now),
            since: now,
            error: &text,
            code: &code,
        };
        let writer = self.writer(parked);
        let mut fact = writer.parked(&*work.record, &standing);
        if fact.size() > self.lane.publish.max_letter_bytes() {
            // The error is told by the log at least.
            standing.error = "";
            fact = writer.parked(&*work.record, &standing);
        }
        work.record.detach();
        self.published.push(Published {
            work,
            records: fact.into(),
            kind: Kind::Append,
            given_up: hope == Hope::NewBuild,
        });
    }

    fn writer<'a>(&self, parked: &'a ParkedShared) -> Writer<'a> {
        Writer {
            topic: &parked.topic,
            partition: self.lane.partition.partition,
            token: &parked.token,
        }
    }

    /// An attempt at a parked record failed: it waits again, or is given up.
    pub(super) fn fail_parked(
        &mut self,
        work: Work<R>,
        record: &ParkedRecord,
        error: &Error,
        hope: Hope,
    ) {
        let now = self.lane.publish.now();
        // A redriven record of a handler that parks nothing has one attempt.
        let (park, max_age) = match self.handler.park {
            Some(park) => (park, millis(park.max_age)),
            None => (Park::DEFAULT, 0),
        };
        let exhausted = hope == Hope::None || now.saturating_sub(record.since) >= max_age;
        let Some(parked) = self.lane.parked.clone() else {
            return;
        };
        if exhausted && self.handler.exhausted != Exhausted::Block {
            self.give_up(work, error);
            return;
        }
        let wait = if exhausted {
            park.max
        } else {
            // The wait before it was parked was the first.
            let earlier = u32::from(record.attempts > 0);
            let parked = work.attempt.saturating_sub(record.attempts);
            jitter(park.ceiling(parked.saturating_add(earlier)))
        };
        tracing::info!(
            handler = %self.handler.stable_name, partition = %self.lane.partition, offset = record.offset,
            attempt = work.attempt, wait_ms = millis(wait), error = format!("{error:#}"), "an attempt at a parked record failed; its key waits"
        );
        self.handler.meters.retried.add(1);
        let (text, code) = (chain(error), code(error));
        let standing = Standing {
            handler: &self.handler.stable_name,
            attempts: work.attempt,
            next: now.saturating_add(millis(wait)),
            since: record.since,
            error: &text,
            code: &code,
        };
        let at = work.seq.cast_signed();
        let fact = self.writer(&parked).failed(record, at, &standing);
        self.published.push(Published {
            work,
            records: fact.into(),
            kind: Kind::Fact,
            given_up: false,
        });
    }
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

/// Between half and all of a wait, so that keys that failed together are not tried together.
pub(super) fn jitter(ceiling: Duration) -> Duration {
    let half = ceiling / 2;
    let most = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
    half + Duration::from_nanos(fastrand::u64(0..=most))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn waits_lie_between_half_and_all_of_the_ceiling_and_are_spread() {
        let ceiling = Duration::from_secs(60);
        let waits: BTreeSet<_> = (0..1_000).map(|_| jitter(ceiling)).collect();
        let (first, last) = (*waits.first().unwrap(), *waits.last().unwrap());
        assert!(
            ceiling / 2 <= first && last <= ceiling,
            "{first:?} {last:?}"
        );
        // A thousand fair draws do not all miss a quarter of the range.
        assert!(
            first < ceiling * 5 / 8 && ceiling * 7 / 8 < last,
            "{first:?} {last:?}"
        );
        assert_eq!(jitter(Duration::ZERO), Duration::ZERO);
    }
}
