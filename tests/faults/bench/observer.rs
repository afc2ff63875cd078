//! Looks at what the broker holds of a group, and at the workers' memory, while a scenario runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use faults::{History, Line, TASKS, What};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cluster::Cluster;

const INTERVAL: Duration = Duration::from_millis(300);
/// A broker that is down for a moment must not hold the observer up for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a group has committed: watermark and metadata of each partition.
pub(crate) type Committed = BTreeMap<i32, (i64, String)>;

/// Asks the broker what a group has committed.
pub(crate) fn committed(client: &BaseConsumer, partitions: i32) -> Result<Committed> {
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition(TASKS, partition);
    }
    let answer = client.committed_offsets(list, PATIENCE)?;
    let mut committed = Committed::new();
    for element in answer.elements() {
        if let Offset::Offset(watermark) = element.offset() {
            let metadata = element.metadata().to_owned();
            committed.insert(element.partition(), (watermark, metadata));
        }
    }
    Ok(committed)
}

pub(crate) struct Observer {
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Observer {
    pub(crate) fn start(
        cluster: &Cluster,
        group: &str,
        partitions: i32,
        history: Arc<History>,
    ) -> Result<Self> {
        let client = cluster.speaker(group)?;
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let thread = thread::spawn(move || {
            let mut known = Committed::new();
            let mut waits = false;
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(INTERVAL);
                if !std::mem::replace(&mut waits, true) {
                    alive(&history, 0);
                }
                // No answer is no news.
                let Ok(news) = committed(&client, partitions) else {
                    continue;
                };
                alive(&history, 1);
                waits = false;
                for (partition, (offset, note)) in news {
                    let news = (offset, note);
                    if known.get(&partition) == Some(&news) {
                        continue;
                    }
                    known.insert(partition, news.clone());
                    let (offset, note) = news;
                    let line = Line {
                        what: What::Committed,
                        partition,
                        offset,
                        note,
                        ..Line::default()
                    };
                    // Without the line the checker knows less; it does not judge wrongly.
                    let _ = history.append(line);
                }
            }
        });
        Ok(Self {
            enough,
            thread: Some(thread),
        })
    }
}

/// What keeps the broker from an answer keeps it from taking a commit too: from the question, which is 0, to the answer.
fn alive(history: &History, offset: i64) {
    let line = Line {
        who: "observer".into(),
        what: What::Alive,
        partition: -1,
        offset,
        ..Line::default()
    };
    // As below.
    let _ = history.append(line);
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only looks; a panic there is in its output.
            let _ = thread.join();
        }
    }
}
