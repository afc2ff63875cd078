//! How much a lane parks (D7): where it stops to take records, and where it refuses redrives.

use std::sync::Arc;

use events_core::{Exhausted, RecordView};

use crate::dead_letter::resolution_of;
use crate::outbox::Outbox;
use crate::parking::ledger::{Bounds, Pair, Standing};
use crate::parking::lot::Lot;
use crate::settings::Settings;
use crate::transport::Queue;

/// Redrives are taken up to so many times what a lane may park: a command line that keeps to the bound asks for no more, also
/// where its lane parks as much meanwhile.
const REDRIVEN: usize = 2;
/// No lane writes more than this many times what it may park, whatever is redriven meanwhile. A log that says more was not
/// written by lanes with these settings, and is read no further.
const MOST: usize = 4;
/// Offsets of a parked log within which a record may be written twice, at least: far more than a lane has under way.
const COPIES_WITHIN: usize = 50_000;

/// The bounds of a lane's ledger.
pub(super) fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        per_pair: settings.parked_per_key,
        records: settings.parked_records.saturating_mul(REDRIVEN),
        bytes: settings.parked_bytes.saturating_mul(REDRIVEN),
        copies_within: COPIES_WITHIN.max(settings.lane_records.saturating_mul(REDRIVEN)),
    }
}

impl<Q: Queue> Lot<Q> {
    /// Counts what the ledger holds now among what all lanes hold, and how much it may hold of redrives.
    pub(super) fn reckon(&mut self) {
        self.share.set(self.ledger.bytes());
        let most = bounds(&self.lane.group.settings).bytes;
        self.ledger.set_room(self.share.room(most));
    }

    /// Whether it may not take records. Where other lanes make room it takes notice at the next commit tick, at which every lane
    /// is asked for its position.
    pub(super) fn must_close(&self) -> bool {
        self.is_crowded_out()
            || self.retry.is_some()
            || *self.ledger.standing() != Standing::Owner
            || self.is_full()
            || self.remembers_much()
            || self.is_behind()
            || self.blocking_pair().is_some()
    }

    /// Whether as much is parked as is allowed.
    pub(super) fn is_full(&self) -> bool {
        let settings = &self.lane.group.settings;
        self.ledger.len() >= settings.parked_records || self.ledger.bytes() >= settings.parked_bytes
    }

    /// Whether the lanes of the process have parked as much as they may together, and this one not less than its part.
    pub(super) fn is_crowded_out(&self) -> bool {
        self.share.is_used_up()
    }

    /// A key that is at its bound and may not be given up: further records of it have nowhere to go. Those of others are
    /// dead-lettered.
    pub(super) fn blocking_pair(&self) -> Option<Pair> {
        let handlers = &self.lane.topic.handlers;
        let blocks = |pair: &Pair| {
            let mut of = handlers.iter().filter(|plan| plan.hash == pair.handler);
            of.any(|plan| plan.exhausted == Exhausted::Block)
        };
        self.ledger.crowded().find(blocks)
    }

    /// Whether so many finished records may come again that no more may be parked: behind an open one that they are
    /// remembered for, or one of the source.
    pub(super) fn remembers_much(&self) -> bool {
        self.ledger.remembered() >= self.lane.group.settings.parked_records
    }

    /// Whether much that was parked has not been read back: the bounds count only what has.
    pub(super) fn is_behind(&self) -> bool {
        let most = self.lane.group.settings.lane_records / 2;
        let unread = self.written - self.ledger.position();
        usize::try_from(unread).is_ok_and(|unread| unread > most)
    }

    /// Why the parked log is read no further: as much is kept of it as no lane writes (D7). What is due is tried all the same,
    /// and reading goes on once enough of it is done.
    pub(super) fn overflow(&self) -> Option<String> {
        let settings = &self.lane.group.settings;
        // What was under way when a lane came to its bound is parked beyond it.
        let own = settings.parked_bytes.max(settings.lane_bytes);
        let setting = if self.ledger.bytes() >= own.saturating_mul(MOST) {
            "`parked_bytes`"
        } else if self.share.overflows(MOST) {
            "`process_parked_bytes`"
        } else {
            return None;
        };
        Some(format!(
            "up to offset {} more is parked than lanes with these settings write: raise {setting}; if others than the service wrote to {}, take that right from them, and delete what they wrote while the service is stopped",
            self.ledger.position(),
            self.parked.topic
        ))
    }

    /// Says in the log that a redrive was refused.
    pub(super) fn tell_refusal(&mut self, record: &Q::Record) {
        self.refused += 1;
        if self.refusing.occurs("refused") {
            tracing::warn!(
                partition = %self.lane.partition, parked = self.parked.topic, offset = record.offset(),
                records = self.ledger.len(), bytes = self.ledger.bytes(), redrives_refused = self.refused,
                "redrives are refused, since the lane keeps as many parked records as it may: their dead letters stay open; redrive them once some of what is parked is done, or raise `parked_records`, `parked_bytes` or `process_parked_bytes`"
            );
        }
    }

    /// Tells the dead letters of redrives that were refused, a few at a time.
    pub(super) fn tell_refused_letters(&mut self, outbox: &mut Outbox<Q::Record>) -> bool {
        let most = self.lane.group.settings.lane_emission_bytes;
        let mut progress = false;
        while outbox.bytes() < most
            && let Some(id) = self.ledger.take_refusal()
        {
            progress = true;
            let reason = format!(
                "as many records are parked in {} as its lane keeps",
                self.parked.topic
            );
            let word = resolution_of(&self.lane, None, &id, "redrive-refused", &reason);
            outbox.note(Arc::new(word));
        }
        progress
    }
}
