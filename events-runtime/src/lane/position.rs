//! What a lane reports to be committed.

use std::time::Duration;

use tokio::time::Instant;

use crate::lane::Lane;
use crate::offset_map::{self, MAX_METADATA, Run};
use crate::transport::{Position, Queue};

/// A position that does not change is committed again after so long. Brokers forget what a group committed for topics that
/// it has not subscribed, its parked ones, after `offsets.retention.minutes`, a week by default.
const COMMIT_AGAIN: Duration = Duration::from_secs(12 * 3600);

impl<Q: Queue> Lane<Q> {
    /// What would be committed now; `None` before the parked log is claimed: then nothing has been done yet.
    ///
    /// # Delivery
    ///
    /// The watermark is committed whatever becomes of the offset map (D3). A map that does not fit is shortened: what it leaves
    /// out is handled again by the partition's next owner, which is counted and logged.
    pub(super) fn position(&mut self) -> Option<Position> {
        let watermark = self.ring.watermark();
        let parked = match &mut self.lot {
            Some(lot) => Some(lot.position(watermark)?),
            None => None,
        };
        let handlers = self.context.topic.handlers.iter().enumerate();
        let runs: Vec<(u32, Vec<Run>)> = handlers
            .map(|(index, handler)| (handler.hash, self.runs(index)))
            .collect();
        let most = self.shared.map_room.bytes();
        let (metadata, end) = offset_map::encode_within(watermark, &runs, most);
        if let Some(end) = end {
            self.shortened(watermark, end, most);
        }
        Some(Position {
            watermark,
            metadata,
            parked,
        })
    }

    #[cold]
    fn shortened(&mut self, watermark: i64, end: i64, most: usize) {
        self.shortened_maps += 1;
        self.watch.shortened();
        let remedy = match most < MAX_METADATA {
            true => {
                "the brokers take no more: set their `offset.metadata.max.bytes` to 4096, and restart the service"
            }
            false => "mend the handler whose record holds the watermark: the status names it",
        };
        if self.map_loss.occurs(remedy) {
            tracing::warn!(
                group = self.context.group.group, partition = %self.context.partition, watermark, end, most,
                "the offset map is larger than {most} bytes: the watermark is committed with a map that ends at offset {end}, so after a kill or a rebalance records from there on that are done already are handled again; {remedy}"
            );
        }
    }

    /// Passes offsets that are no records, as the markers of transactions at the end of a log (D1). Without it the group would
    /// lag behind for ever, and once retention emptied the log its offset would be out of range.
    pub(super) fn pass_gap_at_end(&mut self) {
        // What waits here was handed out, and is not in the ring.
        if self.map_bound.has_waiting() {
            return;
        }
        if let Some(position) = self.queue.position() {
            self.ring.reach(position);
        }
    }

    pub(super) fn publish_position(&mut self) {
        let position = self.position();
        // Also what has not changed, if it was not committed: nothing else would bring it up again.
        let again = self.shared.take_refusal() || self.published_at.elapsed() >= COMMIT_AGAIN;
        if position.is_some() && (again || position != self.published_position) {
            self.shared.set_position(position.clone());
            self.published_position = position;
            self.published_at = Instant::now();
        }
    }
}
