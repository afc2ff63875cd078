//! What a lane's lot says of itself.

use events_core::escape::shell;

use crate::lane::context::key_text;
use crate::parking::ledger::{Open, Standing, shown};
use crate::parking::lot::Lot;
use crate::parking::record::ParkedRecord;
use crate::status::TroubleStatus;
use crate::transport::Queue;

use std::sync::Arc;

/// Most parked keys that are listed.
const MAX_TROUBLES: usize = 64;

/// What is parked.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) keys: usize,
    pub(crate) records: usize,
    pub(crate) oldest: Option<i64>,
    pub(crate) troubles: Vec<TroubleStatus>,
}

impl<Q: Queue> Lot<Q> {
    pub(crate) fn summary(&self) -> Summary {
        let now = self.lane.publish.now();
        let oldest = self.ledger.open().next();
        Summary {
            keys: self.ledger.pairs(),
            records: self.ledger.len(),
            oldest: oldest.map(|(_, open)| open.payload.since),
            troubles: self
                .ledger
                .heads()
                .take(MAX_TROUBLES)
                .map(|head| trouble(head, now))
                .collect(),
        }
    }

    /// Whether another claim came after its own. If this member still owns the partition, that is the late claim of a member
    /// of an earlier group: this lane has taken records and cannot claim again, but its successor outranks that claim.
    pub(crate) fn is_fenced(&self) -> bool {
        matches!(self.ledger.standing(), Standing::Fenced(_))
    }

    /// Why the lane takes no records.
    pub(crate) fn holding(&self) -> Option<String> {
        let settings = &self.lane.group.settings;
        if let Some((_, error)) = &self.retry {
            return Some(format!("the parked log cannot be read: {error}"));
        }
        match self.ledger.standing() {
            Standing::Claiming => {
                return Some("the parked log is being claimed and read".to_owned());
            }
            Standing::Fenced(generation) => {
                return Some(format!(
                    "the parked log was claimed by another member of generation {}: this one has lost the partition; if it is still assigned to this member, restart the service",
                    shown(*generation)
                ));
            }
            Standing::Outranked(generation) => {
                return Some(format!(
                    "a claim of generation {} stands in the parked log, later than this member's {}: it has lost the partition, or the group was deleted, expired or changed its protocol. The coordinator is asked which; where it takes this member for the owner and the claim stays, end every process that ran before and run `parked take-over --force --topic {}`",
                    shown(*generation),
                    shown(self.generation),
                    shell(&self.parked.topic)
                ));
            }
            Standing::Owner => {}
        }
        if let Some(pair) = self.blocking_pair() {
            let head = self.ledger.heads().find(|head| head.pair == pair);
            return Some(format!(
                "{} records of one key are parked, the most allowed{}",
                settings.parked_per_key,
                head.map_or_else(String::new, blame)
            ));
        }
        if self.remembers_much() && !self.is_full() {
            let oldest = self.ledger.open().next();
            return Some(format!(
                "{} parked records are done and remembered, the most allowed, until what came before them is{}",
                self.ledger.remembered(),
                oldest.map_or_else(String::new, |(_, open)| blame(open))
            ));
        }
        if !self.is_full() && self.is_crowded_out() {
            return Some(format!(
                "the lanes of this process have parked {} bytes, the most allowed (`process_parked_bytes`), {} of them this one",
                self.share.total(),
                self.ledger.bytes()
            ));
        }
        if !self.is_full() {
            let unread = "much of what was parked has not been read back";
            return self.is_behind().then(|| unread.to_owned());
        }
        let oldest = self.ledger.open().next();
        Some(format!(
            "{} records of {} bytes are parked, the most allowed{}",
            self.ledger.len(),
            self.ledger.bytes(),
            oldest.map_or_else(String::new, |(_, open)| blame(open))
        ))
    }

    /// Why the lane is unhealthy: it has taken no records for too long.
    pub(crate) fn unhealthy(&self) -> Option<String> {
        let closed = self.closed?.elapsed();
        if closed < self.lane.group.settings.stall {
            return None;
        }
        let reason = self.holding()?;
        Some(format!(
            "no records are taken for {} s: {reason}",
            closed.as_secs()
        ))
    }
}

fn blame(open: &Open<Arc<ParkedRecord>>) -> String {
    format!(
        ": handler {} fails on key {}: {}",
        open.payload.handler,
        key_text(&*open.payload),
        error(open)
    )
}

fn error(open: &Open<Arc<ParkedRecord>>) -> &str {
    open.error.as_deref().unwrap_or("it has not been tried yet")
}

fn trouble(head: &Open<Arc<ParkedRecord>>, now: i64) -> TroubleStatus {
    let record = &head.payload;
    TroubleStatus {
        handler: record.handler.to_string(),
        key: key_text(&**record),
        offset: record.offset,
        attempts: head.attempts,
        error: error(head).to_owned(),
        age_ms: now.saturating_sub(record.since).max(0).unsigned_abs(),
        parked: true,
        next_ms: Some(head.next.saturating_sub(now).max(0).unsigned_abs()),
    }
}
