//! How much offset metadata the brokers take.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Group;
use crate::offset_map::MAX_METADATA;
use crate::transport::TopicPartition;

/// How many bytes of offset metadata a group's brokers take, as far as their answers to commits have told.
#[derive(Debug)]
pub(crate) struct MapRoom {
    most: AtomicUsize,
    /// The longest that they took.
    taken: AtomicUsize,
}

impl Default for MapRoom {
    fn default() -> Self {
        Self {
            most: AtomicUsize::new(MAX_METADATA),
            taken: AtomicUsize::new(0),
        }
    }
}

impl MapRoom {
    /// Most bytes that an offset map may have.
    pub(crate) fn bytes(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Whether metadata of so many bytes is sure to be taken.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        bytes <= self.taken.load(Ordering::Relaxed)
    }

    /// Metadata of so many bytes was taken.
    pub(crate) fn taken(&self, bytes: usize) {
        self.taken.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Metadata of so many bytes was refused. Answers how many maps may have now: half of it, but no less than what was
    /// taken. The limit is a setting of the brokers, and few refusals are to find what it allows.
    pub(crate) fn refused(&self, bytes: usize) -> usize {
        let less = (bytes / 2).max(
            self.taken
                .load(Ordering::Relaxed)
                .min(bytes.saturating_sub(1)),
        );
        self.most.fetch_min(less, Ordering::Relaxed).min(less)
    }
}

impl Group {
    /// The broker refused so many bytes of offset metadata for a partition. Its lane hands its position out again soon, with
    /// an offset map that is shorter, and so do all lanes of the group from now on. Answers how many bytes maps have at most.
    pub fn refuse_metadata(&self, partition: &TopicPartition, bytes: usize) -> usize {
        let most = self.map_room.refused(bytes);
        if self.refuse_positions(std::slice::from_ref(partition))
            && let Some(running) = self.lanes().get(partition)
        {
            running.shared.request();
        }
        most
    }

    /// How many bytes of offset metadata the brokers take, as far as they have told.
    pub fn metadata_room(&self) -> usize {
        self.map_room.bytes()
    }

    /// The broker took so many bytes of offset metadata.
    pub fn take_metadata(&self, bytes: usize) {
        self.map_room.taken(bytes);
    }

    /// Whether the broker has taken as much offset metadata before.
    pub fn takes_metadata(&self, bytes: usize) -> bool {
        self.map_room.takes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_shrinks_to_what_is_taken() {
        for limit in [0, 20, 64, 512, 4_096] {
            let room = MapRoom::default();
            let mut refusals = 0;
            while room.bytes() > limit {
                room.refused(room.bytes());
                refusals += 1;
            }
            room.taken(room.bytes());
            assert!(room.takes(room.bytes()) && !room.takes(room.bytes() + 1));
            assert!(
                refusals <= 12 && room.bytes() >= limit / 2,
                "{limit}: {room:?}"
            );
        }
    }

    #[test]
    fn a_late_refusal_takes_nothing_that_is_known_to_be_taken() {
        let room = MapRoom::default();
        room.taken(500);
        assert_eq!(room.refused(600), 500);
        assert_eq!(room.refused(600), 500);
        assert_eq!(room.bytes(), 500);
    }
}
