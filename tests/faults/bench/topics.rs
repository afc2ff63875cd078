//! What stands in topics at the end.

use std::time::Duration;

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cluster::Cluster;
use crate::wait::{LONG, holds, until};

/// A record as it stands in a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Found {
    /// The text of a header; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    #[cfg(test)]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// All records of a topic, partition by partition.
pub(crate) fn records(cluster: &Cluster, topic: &str) -> Result<Vec<Found>> {
    let client: BaseConsumer = cluster.speaker("faults-reader")?;
    let ends = cluster.ends(topic)?;
    let mut list = TopicPartitionList::new();
    let mut open = 0;
    for (partition, (low, high)) in ends.iter().enumerate() {
        if high > low {
            list.add_partition_offset(topic, partition as i32, Offset::Offset(*low))?;
            open += 1;
        }
    }
    client.assign(&list)?;
    let mut found = Vec::new();
    let mut left = ends.clone();
    until("a topic has been read to its end", LONG, || {
        while open > 0
            && let Some(message) = client.poll(Duration::from_millis(200))
        {
            let message = message.map_err(|error| error.to_string())?;
            let (next, end) = &mut left[message.partition() as usize];
            if message.offset() >= *next && message.offset() < *end {
                *next = message.offset() + 1;
                open -= i32::from(*next == *end);
                found.push(read(&message));
            }
        }
        holds(open == 0, || format!("{topic}: {open} partitions"))
    })?;
    found.sort_by_key(|record: &Found| (record.partition, record.offset));
    Ok(found)
}

fn read(message: &impl Message) -> Found {
    let text =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    Found {
        partition: message.partition(),
        offset: message.offset(),
        key: text(message.key()),
        value: text(message.payload()),
        headers: headers
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect(),
    }
}
