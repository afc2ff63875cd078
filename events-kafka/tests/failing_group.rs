//! Members of a group whose cluster refuses commits, or goes away, and whose handlers block; on a cluster of each test's own.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use events_kafka::{ClientOptions, Handle, Producer, Result, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

const SECOND: Duration = Duration::from_secs(1);

/// Something to do.
#[event(topic = "group-tasks", key = key)]
struct Task {
    key: String,
}

/// It was done.
#[event(topic = "group-results", key = key)]
struct Done {
    key: String,
}

fn task(key: impl ToString) -> Task {
    Task {
        key: key.to_string(),
    }
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(service: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    let letters = format!("{service}.dead-letters");
    for (topic, partitions) in [
        ("group-tasks", partitions),
        ("group-results", 1),
        (&*letters, 1),
    ] {
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
            settings.commit_interval = Duration::from_millis(50);
            settings.drain = drain;
        })
}

/// Offset and metadata that a group has committed for the first partition.
fn committed(cluster: &Cluster, group: &str) -> (Offset, String) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition("group-tasks", 0);
    let list = consumer.committed_offsets(list, 10 * SECOND).unwrap();
    let element = &list.elements()[0];
    (element.offset(), element.metadata().to_owned())
}

mod refused {
    use super::*;

    events_kafka::service!("group-refused");

    #[handler]
    async fn work(task: Task) {
        if task.key == "stuck" {
            std::future::pending::<()>().await;
        }
    }
}

/// The client gives up what is refused while members join, and its timer sends no map under an offset that has not moved. What
/// was done is committed all the same, or a kill long after would run it again (D3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_that_was_refused_is_committed_again() {
    let cluster = cluster("group-refused", 1);
    let handle = runtime("group-refused", &cluster, SECOND / 10)
        .spawn()
        .await
        .unwrap();
    eventually("the start is committed", async || {
        committed(&cluster, "group-refused").0 == Offset::Offset(0)
    })
    .await;
    let joining = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[joining; 2]);
    let producer = handle.producer().unwrap();
    producer.publish(&task("stuck")).await.unwrap();
    producer.publish(&task("free")).await.unwrap();
    eventually("what was done is committed", async || {
        let (offset, map) = committed(&cluster, "group-refused");
        offset == Offset::Offset(0) && !map.is_empty()
    })
    .await;
    assert_eq!(handle.drain().await.abandoned, 1);
}

mod bounded {
    use super::*;

    events_kafka::service!("group-bounded");

    #[handler]
    async fn count(_task: Task, begun: State<AtomicUsize>) {
        begun.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// A kill repeats what no acknowledged commit covers: no more begins than the bound allows until the coordinator has taken a
/// commit, and then everything goes on (D3).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_attempt_begins_beyond_the_bound_until_a_commit_is_acknowledged() {
    // More than twice what may be under way in four lanes.
    const BOUND: usize = 600;
    let cluster = cluster("group-bounded", 4);
    let joining = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[joining; 10_000]);
    let begun = Arc::new(AtomicUsize::new(0));
    let handle = runtime("group-bounded", &cluster, 10 * SECOND)
        .configure(|settings| settings.commit_records = BOUND as u64)
        .shared_state(Arc::clone(&begun))
        .spawn()
        .await
        .unwrap();
    let producer = handle.producer().unwrap();
    producer.publish_all((0..2_000).map(task)).await.unwrap();
    eventually("every lane waits for the coordinator", async || {
        let lanes = handle.status().lanes;
        let waits = |reason: &String| reason.contains("has not acknowledged the last commit");
        begun.load(Ordering::Relaxed) >= BOUND
            && lanes.len() == 4
            && lanes
                .iter()
                .all(|lane| lane.holding.as_ref().is_some_and(waits))
    })
    .await;
    assert_eq!(begun.load(Ordering::Relaxed), BOUND);
    cluster.clear_request_errors(RDKafkaApiKey::OffsetCommit);
    eventually("all is done", async || {
        begun.load(Ordering::Relaxed) == 2_000
    })
    .await;
    assert!(handle.drain().await.drained);
}

#[derive(Default)]
struct Signals {
    begun: Notify,
    go: Notify,
}

mod away {
    use super::*;

    events_kafka::service!("group-away");

    #[handler]
    async fn work(task: Task, signals: State<Signals>) -> Result<Done> {
        signals.begun.notify_one();
        signals.go.notified().await;
        Ok(Done { key: task.key })
    }
}

/// Members, lanes and the edge have one deadline, and what the drain came to is told though nobody answers the goodbye (D9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_without_a_broker_ends_in_time_and_says_what_it_abandons() {
    let cluster = cluster("group-away", 1);
    let signals = Arc::new(Signals::default());
    let handle = runtime("group-away", &cluster, 4 * SECOND)
        .shared_state(Arc::clone(&signals))
        .spawn()
        .await
        .unwrap();
    let producer = handle.producer().unwrap();
    producer.publish(&task("a")).await.unwrap();
    signals.begun.notified().await;
    cluster.broker_down(1).unwrap();
    signals.go.notify_one();
    let unsent = tokio::spawn(async move { producer.publish(&task("b")).await });
    eventually("the emission is on its way", async || {
        let lanes = handle.status().lanes;
        lanes.iter().any(|lane| lane.unacknowledged == 1)
    })
    .await;
    let began = Instant::now();
    let report = handle.drain().await;
    let took = began.elapsed();
    assert_eq!((report.drained, report.abandoned), (false, 1));
    // Four seconds, and five for the goodbye. One after another they would be 17.
    assert!(took < 13 * SECOND, "{took:?}");
    assert!(unsent.await.unwrap().is_err());
}

/// Closed until the test opens it.
#[derive(Default)]
struct Gate {
    /// How many wait, and whether it is open.
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, open)| !*open));
    }

    fn wait_for(&self, waiting: usize) {
        let state = self.state.lock().unwrap();
        let full = |state: &mut (usize, bool)| state.0 < waiting;
        let waited = self.changed.wait_timeout_while(state, 30 * SECOND, full);
        assert!(waited.unwrap().0.0 >= waiting, "nobody came to the gate");
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

mod blocking {
    use super::*;

    events_kafka::service!("group-blocking");

    #[handler]
    async fn work(_task: Task, gate: State<Gate>) {
        gate.pass();
    }
}

/// With every thread of the runtime blocked no lane notices that it is cancelled. Whoever takes the partitions over waits for
/// one second then, and not for one after the other (D8). When the threads come back, nothing of these lanes begins any more:
/// their partitions may have another owner.
#[test]
fn lanes_that_cannot_be_stopped_are_given_up_together() {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let cluster = cluster("group-blocking", 8);
    let gate = Arc::new(Gate::default());
    let handle: Handle = threads.block_on(async {
        let producer = Producer::connect("test", client(&cluster)).unwrap();
        producer.publish_all((0..64).map(task)).await.unwrap();
        producer.close(SECOND).await;
        let runtime = runtime("group-blocking", &cluster, SECOND / 2);
        let runtime = runtime.shared_state(Arc::clone(&gate));
        runtime.spawn().await.unwrap()
    });
    gate.wait_for(2);
    let began = Instant::now();
    let report = threads.block_on(handle.drain());
    let took = began.elapsed();
    let attempts = gate.state.lock().unwrap().0;
    gate.open();
    // Waits until what runs on its threads has returned.
    drop(threads);
    assert_eq!(gate.state.lock().unwrap().0, attempts, "D8");
    assert_eq!((report.drained, report.overdue), (false, 8));
    assert!(took < 5 * SECOND, "{took:?}");
}

mod silent {
    use super::*;

    events_kafka::service!("group-silent");

    #[handler]
    async fn work(_task: Task, gate: State<Gate>) {
        gate.pass();
    }
}

/// A lane whose thread a handler blocks answers nobody, and nothing but a restart gives the thread
/// back (D12).
#[test]
fn a_lane_whose_thread_is_blocked_needs_a_restart() {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let cluster = cluster("group-silent", 1);
    let gate = Arc::new(Gate::default());
    let handle: Handle = threads.block_on(async {
        let producer = Producer::connect("test", client(&cluster)).unwrap();
        producer.publish(&task("a")).await.unwrap();
        producer.close(SECOND).await;
        let runtime = runtime("group-silent", &cluster, SECOND / 2);
        let runtime = runtime.configure(|settings| settings.stall = SECOND / 2);
        let runtime = runtime.shared_state(Arc::clone(&gate));
        runtime.spawn().await.unwrap()
    });
    gate.wait_for(1);
    let lane = threads.block_on(async {
        let found = Mutex::new(None);
        eventually("the lane is unhealthy", async || {
            let mut lanes = handle.status().lanes;
            lanes.retain(|lane| lane.unhealthy.is_some());
            *found.lock().unwrap() = lanes.pop();
            found.lock().unwrap().is_some()
        })
        .await;
        found.into_inner().unwrap().unwrap()
    });
    gate.open();
    let reason = lane.unhealthy.unwrap_or_default();
    assert!(reason.contains("a handler blocks its thread"), "{reason}");
    assert!(lane.restart_helps);
    threads.block_on(handle.drain());
}

mod idle {
    use super::*;

    events_kafka::service!("group-idle");

    #[handler]
    async fn work(_task: Task) {}
}

/// There are more members than partitions: one that reads nothing is behind by nothing, so the lag of all is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_without_partitions_has_no_lag() {
    let cluster = cluster("group-idle", 1);
    let mut handles = Vec::new();
    for _ in 0..2 {
        let runtime = runtime("group-idle", &cluster, SECOND);
        handles.push(runtime.spawn().await.unwrap());
    }
    eventually("both know their lag", async || {
        let known = handles.iter().all(|handle| handle.lag() == Some(0));
        let partitions: usize = handles.iter().map(Handle::partitions).sum();
        known && partitions == 1
    })
    .await;
    for handle in handles {
        assert!(handle.drain().await.drained);
    }
}
