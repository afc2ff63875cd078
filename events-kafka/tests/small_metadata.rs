//! Brokers that take less offset metadata than an offset map may have, Apache Kafka alone: `cargo xtask test --only kafka`
//! starts one with `offset.metadata.max.bytes=512` and names it in `SMALL_METADATA_KAFKA`. The broker must be fresh.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_kafka::{
    ClientOptions, Error, Handle, Meta, Result, Retry, Runtime, State, event, handler,
};
use events_testkit::eventually;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// What the broker takes.
const LIMIT: usize = 512;
const RECORDS: i64 = 6_000;
/// The first record that is not done.
const STUCK: i64 = 200;

#[event(topic = "small-metadata", key = key)]
struct Task {
    key: String,
}

/// Offsets that were handled.
type Done = Mutex<Vec<i64>>;

async fn attempt(task: &Task, meta: &Meta, done: &Done) -> Result<()> {
    if task.key.starts_with("stuck") {
        return Err(Error::msg("it waits"));
    }
    done.lock().unwrap().push(meta.offset);
    Ok(())
}

mod ticks {
    use super::*;

    events_kafka::service!("small-metadata-ticks");

    #[handler]
    async fn work(task: Task, meta: Meta, done: State<Done>) -> Result<()> {
        attempt(&task, &meta, &done).await
    }
}

mod leaves {
    use super::*;

    events_kafka::service!("small-metadata-leaves");

    #[handler]
    async fn work(task: Task, meta: Meta, done: State<Done>) -> Result<()> {
        attempt(&task, &meta, &done).await
    }
}

/// The broker, or none, which is said.
fn broker() -> Option<String> {
    let address = std::env::var("SMALL_METADATA_KAFKA").ok();
    if address.is_none() {
        println!(
            "not tested: SMALL_METADATA_KAFKA names no broker; `cargo xtask test --only kafka` starts one"
        );
    }
    address
}

async fn start(service: &str, address: &str, done: &Arc<Done>, tick: Duration) -> Handle {
    let long = Duration::from_secs(24 * 3600);
    let client = ClientOptions::without_environment().set("bootstrap.servers", address);
    Runtime::new(service)
        .client(client)
        .ensure_topics(1, 1)
        .shared_state(Arc::clone(done))
        .configure(|settings| {
            settings.park = None;
            settings.retry = Retry {
                min: long,
                max: long,
                ..Retry::DEFAULT
            };
            settings.breaker_keys = 0;
            settings.lane_held = settings.lane_records;
            settings.commit_interval = tick;
            settings.commit_records = u64::MAX;
        })
        .spawn()
        .await
        .unwrap()
}

/// One topic serves both tests: the first to come fills it.
async fn fill(address: &str) {
    static FILLED: tokio::sync::Mutex<bool> = tokio::sync::Mutex::const_new(false);
    let mut filled = FILLED.lock().await;
    if *filled {
        return;
    }
    let tasks: Vec<_> = (0..RECORDS)
        .map(|offset| match offset >= STUCK && offset % 5 == 0 {
            true => Task {
                key: format!("stuck {offset}"),
            },
            false => Task {
                key: format!("task {}", offset % 50),
            },
        })
        .collect();
    let client = ClientOptions::without_environment().set("bootstrap.servers", address);
    let producer = events_kafka::Producer::connect("small-metadata-edge", client).unwrap();
    producer.publish_all::<Task>(&tasks).await.unwrap();
    *filled = true;
}

fn committed(address: &str, group: &str) -> (Offset, String) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition("small-metadata", 0);
    let asked = consumer.committed_offsets(list, Duration::from_secs(10));
    let list = asked.unwrap();
    let element = &list.elements()[0];
    (element.offset(), element.metadata().to_owned())
}

async fn all_done(done: &Done) {
    let count = (0..RECORDS).filter(|offset| *offset < STUCK || offset % 5 != 0);
    let count = count.count();
    eventually("all others are done", async || {
        done.lock().unwrap().len() >= count
    })
    .await;
}

/// The watermark is committed with as much of the map as the broker takes, which is counted; the next owner does again only
/// what that leaves out (D3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shorter_map_is_committed_where_brokers_take_little_metadata() {
    let Some(address) = broker() else { return };
    let group = "small-metadata-ticks";
    let done = Arc::new(Done::default());
    let tick = Duration::from_millis(100);
    let handle = start(group, &address, &done, tick).await;
    fill(&address).await;
    all_done(&done).await;
    eventually("watermark and map are committed", async || {
        let lanes = handle.status().lanes;
        let shortened = lanes.iter().any(|lane| lane.shortened_maps > 0);
        let (offset, map) = committed(&address, group);
        shortened && offset == Offset::Offset(STUCK) && (LIMIT / 4..=LIMIT).contains(&map.len())
    })
    .await;
    // A kill: nothing is committed at the end.
    drop(handle);
    done.lock().unwrap().clear();
    let handle = start(group, &address, &done, tick).await;
    eventually("the last record is done again", async || {
        done.lock().unwrap().contains(&(RECORDS - 1))
    })
    .await;
    let again = done.lock().unwrap().clone();
    assert!(
        again.iter().all(|offset| *offset > STUCK + 100),
        "{again:?}"
    );
    handle.drain().await;
}

/// A member that leaves before any commit was answered commits its watermark, though the broker refuses the map.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_commit_keeps_its_watermark_where_the_map_is_refused() {
    let Some(address) = broker() else { return };
    let group = "small-metadata-leaves";
    let done = Arc::new(Done::default());
    let never = Duration::from_secs(3600);
    let handle = start(group, &address, &done, never).await;
    fill(&address).await;
    all_done(&done).await;
    handle.drain().await;
    assert_eq!(committed(&address, group).0, Offset::Offset(STUCK));
}
