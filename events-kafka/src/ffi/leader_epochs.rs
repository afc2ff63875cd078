//! Leader epochs of records and of committed positions: the safe client hides them.

use rdkafka::bindings as sys;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::Message;

impl Message {
    /// The epoch of the leader that appended the record; -1 where the broker does not tell.
    pub(crate) fn leader_epoch(&self) -> i32 {
        // SAFETY: the pointer came from librdkafka and is destroyed only in `drop`.
        unsafe { sys::rd_kafka_message_leader_epoch(self.message) }
    }
}

/// The leader epoch of each element of a list, in its order; -1 where there is none.
pub(crate) fn leader_epochs(list: &TopicPartitionList) -> Vec<i32> {
    let raw = list.ptr();
    // SAFETY: the list owns `cnt` elements.
    unsafe {
        let count = usize::try_from((*raw).cnt).unwrap_or(0);
        let elements = (0..count).map(|index| (*raw).elems.add(index));
        let epochs =
            elements.map(|element| sys::rd_kafka_topic_partition_get_leader_epoch(element));
        epochs.collect()
    }
}

/// Sets the leader epoch of the list's last element.
pub(crate) fn set_last_leader_epoch(list: &mut TopicPartitionList, epoch: i32) {
    let raw = list.ptr();
    // SAFETY: the list owns `cnt` elements, and nothing else borrows them.
    unsafe {
        let count = usize::try_from((*raw).cnt).unwrap_or(0);
        if let Some(last) = count.checked_sub(1) {
            let last = (*raw).elems.add(last);
            sys::rd_kafka_topic_partition_set_leader_epoch(last, epoch);
        }
    }
}
