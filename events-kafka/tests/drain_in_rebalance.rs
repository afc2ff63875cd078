//! Members that are told to stop while they wait within a rebalance, on a cluster of each test's own (D9).

use std::sync::Arc;
use std::time::{Duration, Instant};

use events_kafka::{ClientOptions, Handle, Producer, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::sync::Notify;

const SECOND: Duration = Duration::from_secs(1);

/// Something to do.
#[event(topic = "drains-tasks", key = key)]
struct Task {
    key: String,
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(service: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    let letters = format!("{service}.dead-letters");
    for (topic, partitions) in [("drains-tasks", partitions), (&*letters, 1)] {
        cluster.create_topic(topic, partitions, 1).unwrap();
    }
    cluster
}

fn client(cluster: &Cluster) -> ClientOptions {
    ClientOptions::without_environment().set("bootstrap.servers", cluster.bootstrap_servers())
}

fn runtime(service: &str, cluster: &Cluster, drain: Duration) -> Runtime {
    Runtime::new(service)
        .client(client(cluster))
        .configure(|settings| {
            settings.park = None;
            settings.drain = drain;
        })
}

mod fetching {
    use super::*;

    events_kafka::service!("drains-fetching");

    #[handler]
    async fn work(_task: Task) {}
}

/// A member that waits within a rebalance for what its group has committed has nothing under way, so nothing is abandoned. It
/// does not ask again once it is told to leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_within_a_rebalance_abandons_nothing() {
    let cluster = cluster("drains-fetching", 1);
    refuse(&cluster);
    let drain = 20 * SECOND;
    let handle = runtime("drains-fetching", &cluster, drain)
        .spawn()
        .await
        .unwrap();
    eventually("it asks what is committed", async || {
        let troubles = handle.status().troubles.join("\n");
        troubles.contains("GroupAuthorizationFailed")
    })
    .await;
    let began = Instant::now();
    let report = handle.drain().await;
    let took = began.elapsed();
    assert_eq!((report.drained, report.abandoned), (true, 0));
    assert!(took < drain, "{took:?}");
}

/// Asking what is committed is refused, which shows in the status.
fn refuse(cluster: &Cluster) {
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::OffsetFetch, &[refused; 10_000]);
}

/// Takes the broker away from a member that asks it within a rebalance, and lets the member ask once
/// more: the client waits for that answer.
async fn waits_in_a_rebalance(handle: &Handle, cluster: &Cluster) {
    eventually("it asks what is committed", async || {
        let troubles = handle.status().troubles.join("\n");
        troubles.contains("GroupAuthorizationFailed")
    })
    .await;
    cluster.broker_down(1).unwrap();
    tokio::time::sleep(SECOND).await;
}

/// The client itself waits for an answer, and cannot be told to stop: the drain ends when its time is up, without five seconds
/// more for the goodbye (D9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_in_its_time_while_a_rebalance_waits() {
    let cluster = cluster("drains-fetching", 1);
    refuse(&cluster);
    let drain = 4 * SECOND;
    let runtime = runtime("drains-fetching", &cluster, drain);
    let handle = runtime.spawn().await.unwrap();
    waits_in_a_rebalance(&handle, &cluster).await;
    let began = Instant::now();
    let report = handle.drain().await;
    let took = began.elapsed();
    assert_eq!((report.drained, report.abandoned), (true, 0));
    assert!(took < drain + 3 * SECOND, "{took:?}");
}

/// What the handler waits with for one key.
struct Signals {
    slow: String,
    begun: Notify,
    go: Notify,
}

mod away {
    use super::*;

    events_kafka::service!("drains-away");

    #[handler]
    async fn work(task: Task, signals: State<Signals>) {
        if task.key == signals.slow {
            signals.begun.notify_one();
            signals.go.notified().await;
        }
    }
}

async fn publish(cluster: &Cluster, key: &str) -> i32 {
    let producer = Producer::connect("test", client(cluster)).unwrap();
    let key = key.to_owned();
    let written = producer.publish(&Task { key }).await.unwrap();
    producer.close(SECOND).await;
    written.partition
}

/// A key whose records are in the first of two partitions, found out on another cluster.
async fn key_of_the_first() -> String {
    let scratch = cluster("drains-away", 2);
    for key in 0.. {
        let key = key.to_string();
        if publish(&scratch, &key).await == 0 {
            return key;
        }
    }
    unreachable!("there are keys for both partitions")
}

/// What a member reads already goes on while it waits within a rebalance, and is finished in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_drain_while_a_rebalance_waits() {
    let slow = key_of_the_first().await;
    let cluster = cluster("drains-away", 2);
    let signals = Arc::new(Signals {
        slow: slow.clone(),
        begun: Notify::new(),
        go: Notify::new(),
    });
    let drain = 5 * SECOND;
    let mut members = Vec::new();
    for _ in 0..2 {
        let runtime = runtime("drains-away", &cluster, drain);
        let runtime = runtime.shared_state(Arc::clone(&signals));
        members.push(runtime.spawn().await.unwrap());
    }
    let reads = |member: &Handle| {
        let lanes = member.status().lanes;
        let numbers = lanes.iter().map(|lane| lane.partition.partition);
        numbers.collect::<Vec<_>>()
    };
    eventually("each has a partition", async || {
        members.iter().all(|member| reads(member).len() == 1)
    })
    .await;
    members.sort_by_key(reads);
    let (other, handle) = (members.pop().unwrap(), members.pop().unwrap());
    assert_eq!(publish(&cluster, &slow).await, 0);
    let begun = tokio::time::timeout(60 * SECOND, signals.begun.notified());
    begun.await.expect("the record is taken");
    refuse(&cluster);
    assert!(other.drain().await.drained);
    waits_in_a_rebalance(&handle, &cluster).await;
    let began = Instant::now();
    let draining = tokio::spawn(handle.drain());
    signals.go.notify_one();
    let report = draining.await.unwrap();
    let took = began.elapsed();
    assert_eq!((report.drained, report.abandoned), (true, 0));
    assert!(took < drain + 3 * SECOND, "{took:?}");
}
