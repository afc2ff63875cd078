//! Commits of positions (D3, D14).

use events_runtime::{Position, TopicPartition, failpoints};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::MemberContext;
use crate::ffi::{self, CommitQueue};

/// Commits positions: stored, so that giving a partition up commits them too, and sent now, because the client's own timer
/// sends only offsets that moved, and a new map under an old watermark must not wait (D3).
pub(crate) fn commit(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    mode: CommitMode,
) {
    let _ = commit_with(consumer, positions, |list| send(consumer, list, mode));
}

/// The same, with the answers on a queue of their own. Answers how many will come there; none if nothing was committed,
/// since the assignment was lost or the client took not all of it.
pub(crate) fn commit_answered(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    answers: &CommitQueue<MemberContext>,
) -> Option<usize> {
    commit_with(consumer, positions, |list| answers.commit(list))
}

fn commit_with(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    send: impl Fn(&TopicPartitionList) -> KafkaResult<()>,
) -> Option<usize> {
    let context = consumer.context();
    commit_parts(consumer, positions, send, |partition, position| {
        with_ids(context, partition, position)
    })
}

fn send(
    consumer: &BaseConsumer<MemberContext>,
    list: &TopicPartitionList,
    mode: CommitMode,
) -> KafkaResult<()> {
    match mode {
        CommitMode::Sync => consumer.commit(list, mode),
        CommitMode::Async => ffi::commit(consumer, list),
    }
}

/// What is committed with a position: its offset map, and the ids of its topics.
fn with_ids(context: &MemberContext, partition: &TopicPartition, position: &Position) -> String {
    let most = context.group.metadata_room();
    match context.logs.of(partition) {
        Some(log) => log.ids.write(&position.metadata, most),
        None => position.metadata.clone(),
    }
}

fn commit_parts(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    send: impl Fn(&TopicPartitionList) -> KafkaResult<()>,
    metadata: impl Fn(&TopicPartition, &Position) -> String,
) -> Option<usize> {
    if positions.is_empty() {
        return Some(0);
    }
    if consumer.assignment_lost() {
        // Somebody else owns the partitions by now. A coordinator whose group has no members any more would take them.
        tracing::warn!(group = %consumer.context().group.plan().group, "the assignment was lost, so what was done since the last commit is not committed");
        return None;
    }
    let mut sent = Some(0);
    for part in parts(positions) {
        let taken = commit_part(consumer, part, &send, &metadata);
        sent = sent.filter(|_| taken).map(|sent| sent + 1);
    }
    sent
}

/// The coordinator writes what one request commits as one batch, and refuses all of it above a limit, a megabyte by default.
const REQUEST: usize = 256 << 10;

/// The positions, as many at once as a request may commit.
fn parts(
    mut rest: &[(TopicPartition, Position)],
) -> impl Iterator<Item = &[(TopicPartition, Position)]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |(partition, position): &&(TopicPartition, Position)| {
            bytes += 256 + partition.topic.len() + position.metadata.len();
            bytes <= REQUEST
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (part, behind) = rest.split_at(count);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// Commits the watermarks alone of partitions that are given up, where the broker may refuse what is to be committed with
/// them: their lanes are gone, so a refused commit could not be made again (D3).
pub(crate) fn commit_watermarks(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    mode: CommitMode,
) {
    let group = &consumer.context().group;
    let unsure = positions.iter().filter(|(partition, position)| {
        let metadata = with_ids(consumer.context(), partition, position);
        !group.takes_metadata(metadata.len())
    });
    let unsure: Vec<_> = unsure.cloned().collect();
    let send = |list: &TopicPartitionList| send(consumer, list, mode);
    let _ = commit_parts(consumer, &unsure, send, |_, _| String::new());
}

/// Answers whether the client has taken it.
fn commit_part(
    consumer: &BaseConsumer<MemberContext>,
    positions: &[(TopicPartition, Position)],
    send: impl Fn(&TopicPartitionList) -> KafkaResult<()>,
    metadata: impl Fn(&TopicPartition, &Position) -> String,
) -> bool {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (partition, position) in positions {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        // A watermark is an offset of the log, so it is in range.
        let offset = Offset::Offset(position.watermark);
        if element.set_offset(offset).is_ok() {
            element.set_metadata(metadata(partition, position));
        }
        if let Some(log) = consumer.context().logs.of(partition) {
            ffi::set_last_leader_epoch(&mut list, log.epoch_before(position.watermark));
        }
    }
    reached("commit-before", positions);
    if let Err(error) = consumer.store_offsets(&list) {
        tracing::debug!(%error, "a partition had gone before its offset was stored");
    }
    // Where parked logs are to be read from goes along, but is never stored: those partitions are not of the group.
    for (partition, position) in positions {
        let Some(parked) = &position.parked else {
            continue;
        };
        let mut element = list.add_partition(&parked.topic, partition.partition);
        if element.set_offset(Offset::Offset(parked.offset)).is_ok() {
            element.set_metadata(&parked.claim);
        }
    }
    reached("store-after", positions);
    let sent = send(&list);
    let taken = sent.is_ok();
    match sent {
        Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
        Err(error) => consumer.context().refused(&error, &list),
    }
    reached("commit-after", positions);
    taken
}

/// For the fault bench.
fn reached(point: &'static str, positions: &[(TopicPartition, Position)]) {
    for (partition, position) in positions {
        failpoints::reached(point, partition, position.watermark);
    }
}
