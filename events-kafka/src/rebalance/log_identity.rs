//! Which log the positions of an assigned partition belong to (D14).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events_runtime::TopicPartition;
use events_runtime::offset_map::{TopicId, TopicIds};

use super::MemberContext;
use super::begin::Begin;

/// What is committed with the positions of a partition, so that its next owner can tell whether
/// they are positions in the log that it finds.
#[derive(Debug, Default)]
pub(crate) struct LogIdentity {
    /// The ids of the topic and of its parked topic.
    pub(crate) ids: TopicIds,
    /// Where the partition is read from, and the metadata that the group had committed with that.
    pub(super) begin: i64,
    pub(super) metadata: String,
    epochs: Mutex<Vec<Appended>>,
}

/// From an offset on, records were appended by the leader of this epoch.
#[derive(Debug, Clone, Copy)]
struct Appended {
    from: i64,
    epoch: i32,
}

impl LogIdentity {
    /// Of a partition that is read from `offset` on; `epoch` is the one committed with that offset,
    /// or -1.
    pub(crate) fn new(ids: TopicIds, offset: i64, epoch: i32, metadata: String) -> Self {
        let committed = Appended {
            from: offset - 1,
            epoch,
        };
        Self {
            ids,
            begin: offset,
            metadata,
            epochs: Mutex::new(vec![committed]),
        }
    }

    /// What lies from `from` on was appended by the leader of this epoch; -1 for not known.
    fn appended(&self, from: i64, epoch: i32) {
        self.epochs().push(Appended { from, epoch });
    }

    /// The epoch of what lies right before `position`; -1 if it is not known. Positions never go
    /// back, so earlier epochs are forgotten.
    pub(crate) fn epoch_before(&self, position: i64) -> i32 {
        let mut epochs = self.epochs();
        let known = epochs.partition_point(|appended| appended.from < position);
        epochs.drain(..known.saturating_sub(1));
        let first = epochs.first().filter(|appended| appended.from < position);
        first.map_or(-1, |appended| appended.epoch)
    }

    fn epochs(&self) -> MutexGuard<'_, Vec<Appended>> {
        // No code of users runs under this lock.
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down the leader epochs of what is read of a log.
#[derive(Debug)]
pub(crate) struct EpochWriter {
    log: Arc<LogIdentity>,
    epoch: i32,
    /// The offset behind what was read.
    end: i64,
}

impl EpochWriter {
    /// Of a log that is read from `offset` on; `epoch` is that of what lies before, or -1.
    pub(crate) fn new(log: Arc<LogIdentity>, offset: i64, epoch: i32) -> Self {
        Self {
            log,
            epoch,
            end: offset,
        }
    }

    /// The epoch of what was read last.
    pub(crate) fn epoch(&self) -> i32 {
        self.epoch
    }

    /// What stands at `offset` was appended by the leader of this epoch.
    pub(crate) fn read(&mut self, offset: i64, epoch: i32) {
        if offset < self.end {
            return;
        }
        if epoch != self.epoch {
            if offset > self.end {
                // Markers and aborted records may stand between, and one with a later epoch than
                // that before it. A position there that names the epoch before would be taken for
                // one in a log that was cut.
                self.log.appended(self.end, -1);
            }
            self.log.appended(offset, epoch);
            self.epoch = epoch;
        }
        self.end = offset + 1;
    }
}

/// The identities of a member's partitions.
#[derive(Debug, Default)]
pub(crate) struct LogIdentities(Mutex<BTreeMap<TopicPartition, Arc<LogIdentity>>>);

impl LogIdentities {
    pub(super) fn set(&self, partition: TopicPartition, identity: Arc<LogIdentity>) {
        self.all().insert(partition, identity);
    }

    pub(crate) fn of(&self, partition: &TopicPartition) -> Option<Arc<LogIdentity>> {
        self.all().get(partition).cloned()
    }

    pub(crate) fn remove(&self, partitions: &[TopicPartition]) {
        let mut all = self.all();
        for partition in partitions {
            all.remove(partition);
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<TopicPartition, Arc<LogIdentity>>> {
        // No code of users runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the topics of a partition that is assigned are known by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Identified {
    /// The ids that its positions are committed with.
    pub(super) ids: TopicIds,
    /// Why it cannot be read from where the group has committed.
    pub(super) held: Option<String>,
    /// The parked topic is not the one whose position the group has committed.
    pub(super) parked_is_another: bool,
}

impl Identified {
    /// Compares the ids that were committed with a position with those that the topics have now. A
    /// position without ids, of an earlier build or set by hand, fits every topic.
    fn of(committed: TopicIds, now: TopicIds) -> Self {
        let another = |committed: Option<TopicId>, now: Option<TopicId>| {
            let both = committed.zip(now);
            both.filter(|(committed, now)| committed != now)
        };
        let topic = another(committed.topic, now.topic);
        Self {
            ids: TopicIds {
                // Until somebody has decided where to go on, positions belong to the topic that is
                // gone. And a cluster that does not tell is no reason to forget.
                topic: topic
                    .map_or(now.topic, |(gone, _)| Some(gone))
                    .or(committed.topic),
                parked: now.parked.or(committed.parked),
            },
            held: topic.map(|(committed, now)| created_again(&committed, &now)),
            parked_is_another: another(committed.parked, now.parked).is_some(),
        }
    }
}

impl MemberContext {
    /// Tells whether what a group has committed for a partition fits its topics, whose ids are
    /// `now`.
    pub(super) fn identify(&self, begin: &Begin, now: &BTreeMap<String, TopicId>) -> Identified {
        let committed = match begin.offset {
            Some(_) => TopicIds::read(&begin.metadata),
            None => TopicIds::default(),
        };
        let parked = self.parked_topic(&begin.partition.topic);
        let now = TopicIds {
            topic: now.get(&begin.partition.topic).copied(),
            parked: parked.and_then(|parked| now.get(parked).copied()),
        };
        let identified = Identified::of(committed, now);
        if identified.parked_is_another {
            tracing::warn!(
                group = %self.group.plan().group, partition = %begin.partition, parked,
                "the parked topic was made anew, so the committed position in it is not one of this topic: reading all of it"
            );
        }
        identified
    }
}

/// A topic id as Kafka's tools print it.
fn shown(id: &TopicId) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// What is said of a partition whose topic is not the one that positions were committed for.
pub(crate) fn created_again(committed: &TopicId, found: &TopicId) -> String {
    format!(
        "the committed offset is not in the log: the topic was made anew, with topic id {}, and the offset was committed for topic id {}. Nothing is read until the group's offset is set for the new topic: reset it with kafka-consumer-groups.sh --reset-offsets while the service is stopped",
        shown(found),
        shown(committed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_fit_the_topics_that_they_were_committed_for() {
        let ids = |topic: Option<u8>, parked: Option<u8>| TopicIds {
            topic: topic.map(|id| [id; 16]),
            parked: parked.map(|id| [id; 16]),
        };
        let (both, none) = (ids(Some(1), Some(2)), TopicIds::default());
        for (committed, now) in [(both, both), (none, both), (both, none)] {
            let fits = Identified {
                ids: both,
                ..Identified::default()
            };
            assert_eq!(Identified::of(committed, now), fits);
        }
        let other_topic = Identified::of(both, ids(Some(7), Some(2)));
        assert_eq!(
            other_topic.ids, both,
            "still those of the topic that is gone"
        );
        let reason = other_topic.held.unwrap();
        assert!(
            reason.contains("AQEBAQEBAQEBAQEBAQEBAQ") && reason.contains("BwcHBwcHBwcHBwcHBwcHBw")
        );
        assert!(!other_topic.parked_is_another);
        let other_parked = Identified::of(both, ids(Some(1), Some(7)));
        assert_eq!(other_parked.ids, ids(Some(1), Some(7)));
        assert!(other_parked.held.is_none() && other_parked.parked_is_another);
    }

    fn read_from(offset: i64, epoch: i32) -> (Arc<LogIdentity>, EpochWriter) {
        let log = Arc::new(LogIdentity::new(
            TopicIds::default(),
            offset,
            epoch,
            String::new(),
        ));
        (Arc::clone(&log), EpochWriter::new(log, offset, epoch))
    }

    #[test]
    fn a_position_has_the_epoch_of_the_record_before_it() {
        let (log, mut writer) = read_from(10, 3);
        assert_eq!(log.epoch_before(10), 3, "as committed");
        // The client may deliver a record a second time.
        for (offset, epoch) in [(10, 3), (11, 3), (12, 5), (10, 3), (13, 5), (14, 6)] {
            writer.read(offset, epoch);
        }
        let epochs = [10, 12, 13, 14, 15, 30].map(|position| log.epoch_before(position));
        assert_eq!(epochs, [3, 3, 5, 5, 6, 6]);
        let known = log.epochs().len();
        assert_eq!(known, 1, "what lies below the position is forgotten");
    }

    /// The epoch before a gap may be less than that of a marker in it.
    #[test]
    fn a_position_in_a_gap_between_two_epochs_has_none() {
        let (log, mut writer) = read_from(10, 3);
        for (offset, epoch) in [(10, 3), (14, 3), (17, 4)] {
            writer.read(offset, epoch);
        }
        let epochs = [11, 13, 15, 16, 17, 18].map(|position| log.epoch_before(position));
        assert_eq!(epochs, [3, 3, 3, -1, -1, 4]);
    }

    #[test]
    fn the_epoch_of_a_first_position_is_not_known() {
        let (log, mut writer) = read_from(0, -1);
        assert_eq!(log.epoch_before(0), -1);
        writer.read(0, 7);
        assert_eq!(log.epoch_before(0), -1, "nothing lies before it");
        assert_eq!(log.epoch_before(1), 7);
    }
}
