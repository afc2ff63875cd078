//! What stands on the cluster: records of topics, offsets and maps of groups.

use std::collections::BTreeMap;

use events_runtime::offset_map::OffsetMap;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cluster::{ANSWER, Cluster};
use crate::wait::until;

/// A record as it stands in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Found {
    /// The text of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (Some((_, Some(value))), None) = (values.next(), values.next()) else {
            panic!("the header {name} is not there once: {:?}", self.headers);
        };
        std::str::from_utf8(value).expect("the header is text")
    }
}

/// What a group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) watermark: i64,
    pub(crate) map: OffsetMap,
}

/// Start and end of each partition that holds or held a record.
pub(crate) fn ends(topic: &str) -> BTreeMap<i32, (i64, i64)> {
    let client: BaseConsumer = Cluster::shared()
        .config()
        .create()
        .expect("a client starts");
    let mut ends = BTreeMap::new();
    for partition in partitions(&client, topic) {
        let (low, high) = client
            .fetch_watermarks(topic, partition, ANSWER)
            .expect("the cluster answers");
        if high > 0 {
            ends.insert(partition, (low, high));
        }
    }
    ends
}

/// All records of a topic.
pub(crate) fn records(topic: &str) -> Vec<Found> {
    let mut config = Cluster::shared().config();
    config.set("group.id", "e2e-reader");
    config.set("enable.auto.commit", "false");
    let client: BaseConsumer = config.create().expect("a client starts");
    let ends = ends(topic);
    let mut list = TopicPartitionList::new();
    for (partition, (low, _)) in &ends {
        list.add_partition_offset(topic, *partition, Offset::Offset(*low))
            .expect("the offset is in range");
    }
    client.assign(&list).expect("partitions can be assigned");
    let mut missing: i64 = ends.values().map(|(low, high)| high - low).sum();
    let mut found = Vec::new();
    until("a topic has been read to its end", || {
        while missing > 0
            && let Some(message) = client.poll(std::time::Duration::from_millis(100))
        {
            let message = message.map_err(|error| error.to_string())?;
            if message.offset() < ends[&message.partition()].1 {
                missing -= 1;
                found.push(read(&message));
            }
        }
        crate::wait::holds(missing == 0, || format!("{missing} records are missing"))
    });
    found.sort_by_key(|record: &Found| (record.partition, record.offset));
    found
}

fn read(message: &impl Message) -> Found {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    Found {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
            .collect(),
    }
}

/// What a group has committed for each partition of a topic.
pub(crate) fn committed(group: &str, topic: &str) -> BTreeMap<i32, Committed> {
    let client = member(group);
    let mut list = TopicPartitionList::new();
    for partition in partitions(&client, topic) {
        list.add_partition(topic, partition);
    }
    let mut committed = BTreeMap::new();
    let answer = client
        .committed_offsets(list, ANSWER)
        .expect("the cluster answers");
    for element in answer.elements() {
        if let Offset::Offset(watermark) = element.offset() {
            let map = OffsetMap::try_decode(watermark, element.metadata())
                .expect("the metadata is an offset map");
            committed.insert(element.partition(), Committed { watermark, map });
        }
    }
    committed
}

/// Sets a group's offset, as an operator does while the service is stopped.
pub(crate) fn reset_offset(group: &str, topic: &str, partition: i32, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))
        .expect("the offset is in range");
    commit_again(group, &list);
}

/// What a group has committed for partitions, with all that is committed beside the offset.
pub(crate) fn committed_whole(group: &str, partitions: &[(&str, i32)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    let committed = member(group).committed_offsets(list, ANSWER);
    committed.expect("the cluster answers")
}

/// Commits that for the group, which must have no members, as a tool does that copies groups.
pub(crate) fn commit_again(group: &str, list: &TopicPartitionList) {
    let client = member(group);
    until("the group's offset is set", || {
        let set = client.commit(list, rdkafka::consumer::CommitMode::Sync);
        set.map_err(|error| error.to_string())
    });
}

/// A client that speaks for a group without being one of its members.
fn member(group: &str) -> BaseConsumer {
    let mut config = Cluster::shared().config();
    config.set("group.id", group);
    config.set("enable.auto.commit", "false");
    config.create().expect("a client starts")
}

fn partitions(client: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = client
        .fetch_metadata(Some(topic), ANSWER)
        .expect("the cluster answers");
    let partitions = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions());
    partitions.map(|partition| partition.id()).collect()
}
