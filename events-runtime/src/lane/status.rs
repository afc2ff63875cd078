//! What a lane says of itself (D12).

use std::time::Duration;

use tokio::time::Instant;

use crate::lane::Lane;
use crate::lane::context::Trouble;
use crate::parking::lot::Lot;
use crate::status::{HoldStatus, LaneStatus, TroubleStatus};
use crate::transport::Queue;

const UNCOMMITTED: &str = "the group's coordinator has not acknowledged the last commit, so no attempt begins (`commit_records`): see the log for refused commits, and whether the coordinator is available";

impl<Q: Queue> Lane<Q> {
    /// A lane that stalls asks the attempts under way for their keys: only they know them.
    pub(super) fn look_for_stall(&mut self) {
        let stalls = self.idle() >= self.context.group.settings.stall;
        self.context.set_stalls(stalls);
        if stalls {
            self.slots.wake_busy();
            self.run_slots();
        }
    }

    fn idle(&self) -> Duration {
        if self.ring.len() == 0 {
            Duration::ZERO
        } else {
            // Time in which a handler held is no stall of what runs since.
            let since = self.context.hold_ended().max(Some(self.progressed));
            since.map_or(Duration::ZERO, |since| since.elapsed())
        }
    }

    /// Tells whoever asks, and the meters.
    pub(super) fn tell_status(&mut self) {
        self.watch.pass(self.ring.watermark());
        let status = self.status();
        self.watch.report(&status);
        self.shared.set_status(status);
    }

    fn status(&self) -> LaneStatus {
        let settings = &self.context.group.settings;
        let now = Instant::now();
        let troubles = self.context.troubles();
        let idle = self.idle();
        let holds = self.context.holding();
        let holds_up = |handler: &str| holds.iter().any(|hold| hold.handler == handler);
        let mut holding = None;
        if let Some((_, error)) = &self.queue_retry {
            holding = Some(format!("the partition cannot be read: {error}"));
        } else if let Some(reason) = self.outbox.blocked() {
            holding = Some(reason.to_owned());
        } else if self.context.held() >= settings.lane_held {
            holding = Some(format!(
                "{} records are held back, the most allowed{}",
                self.context.held(),
                worst(&troubles)
            ));
        } else if let Some(reason) = self.lot.as_ref().and_then(Lot::holding) {
            holding = Some(reason);
        } else if self.shared.begun.count().is_full() {
            holding = Some(UNCOMMITTED.to_owned());
        } else if self.room() == 0 {
            holding = Some(format!("the lane is full{}", worst(&troubles)));
        }
        if let (Some(bound), Some(hold)) = (&mut holding, holds.first()) {
            *bound = format!("{bound}; {hold}");
        }
        let mut unhealthy = self.failed.clone();
        let fenced = self.lot.as_ref().is_some_and(Lot::is_fenced);
        let restart_helps = self.failed.is_some() || self.context.overdue() > 0 || fenced;
        if self.context.overdue() > 0 {
            unhealthy = Some(format!(
                "{} blocking attempts overran their time and still run",
                self.context.overdue()
            ));
        } else if let Some((_, error)) = &self.queue_retry {
            // The ring may be empty, so no stall would ever say that the lane stands still.
            unhealthy = Some(format!("the partition cannot be read: {error}"));
        } else if let Some(reason) = self.lot.as_ref().and_then(Lot::unhealthy) {
            unhealthy = Some(reason);
        } else if let Some(hold) = holds
            .iter()
            .find(|hold| hold.overdue && self.ring.len() > 0)
        {
            unhealthy = Some(format!(
                "{hold}: longer than it may, so failures count against the records again"
            ));
        } else if idle >= settings.stall
            && (holds.is_empty() || troubles.iter().any(|trouble| !holds_up(&trouble.handler)))
        {
            let stuck = troubles
                .iter()
                .filter(|trouble| !holds_up(&trouble.handler));
            let blocker = stuck.min_by_key(|trouble| trouble.offset);
            let blocker = blocker.map_or_else(
                || {
                    format!(
                        "offset {} is not done{}",
                        self.ring.watermark(),
                        self.unacknowledged()
                    )
                },
                |trouble| {
                    format!(
                        "handler {} is stuck on key {} since offset {}: {}",
                        trouble.handler, trouble.key, trouble.offset, trouble.error
                    )
                },
            );
            unhealthy = Some(format!("no progress for {} s: {blocker}", idle.as_secs()));
        }
        let parked = self.lot.as_ref().map(Lot::summary).unwrap_or_default();
        LaneStatus {
            group: self.context.group.group.clone(),
            partition: self.context.partition.clone(),
            epoch: self.shared.epoch,
            watermark: self.ring.watermark(),
            lag: self.shared.lag(self.ring.watermark()),
            oldest_timestamp: (self.ring.len() > 0).then(|| self.watch.oldest()).flatten(),
            in_flight: self.in_flight,
            running: self.slots.busy(),
            held: self.context.held(),
            unacknowledged: self.outbox.open(),
            received: self.received,
            skipped: self.skipped,
            duplicates: self.duplicates,
            redelivered: self.redelivered,
            shortened_maps: self.shortened_maps,
            overdue: self.context.overdue(),
            idle_ms: idle.as_millis() as u64,
            unhealthy,
            restart_helps,
            holding,
            parked_keys: parked.keys,
            parked_records: parked.records,
            oldest_parked: parked.oldest,
            holds: holds
                .iter()
                .map(|hold| HoldStatus {
                    handler: hold.handler.clone(),
                    reason: hold.reason.to_string(),
                    age_ms: hold.age.as_millis() as u64,
                })
                .collect(),
            troubles: troubles
                .into_iter()
                .map(|trouble| TroubleStatus {
                    age_ms: (now - trouble.since).as_millis() as u64,
                    handler: trouble.handler,
                    key: trouble.key,
                    offset: trouble.offset,
                    attempts: trouble.attempts,
                    error: trouble.error,
                    parked: false,
                    next_ms: None,
                })
                .chain(parked.troubles)
                .collect(),
        }
    }

    fn unacknowledged(&self) -> String {
        match (self.outbox.open(), self.outbox.blocked()) {
            _ if self.shared.begun.count().is_full() => format!(": {UNCOMMITTED}"),
            (0, _) => String::new(),
            (open, None) => {
                format!(": {open} records wait for the acknowledgement of what they emitted")
            }
            (open, Some(reason)) => {
                format!(": {open} records cannot publish what they emitted: {reason}")
            }
        }
    }
}

/// Which handler's key has waited longest, if any waits.
fn worst(troubles: &[Trouble]) -> String {
    let worst = troubles.iter().min_by_key(|trouble| trouble.since);
    worst.map_or_else(String::new, |trouble| {
        format!(
            ": handler {} fails on key {}: {}",
            trouble.handler, trouble.key, trouble.error
        )
    })
}
