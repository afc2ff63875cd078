//! Members that the coordinator of their group refuses; on a cluster of each test's own.
#![cfg(feature = "status")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use events_kafka::{
    ClientOptions, Error, Exhausted, GroupProtocol, Handle, Result, Runtime, State, event, handler,
};
use events_testkit::eventually;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// Something to do.
#[event(topic = "membership-tasks", key = key)]
struct Task {
    key: String,
}

fn task(key: &str) -> Task {
    Task {
        key: key.to_owned(),
    }
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster(service: &str) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    let letters = format!("{service}.dead-letters");
    for topic in ["membership-tasks", letters.as_str()] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    cluster
}

fn runtime(service: &str, cluster: &Cluster, address: &str) -> Runtime {
    let client = ClientOptions::without_environment()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("heartbeat.interval.ms", "200");
    let runtime = Runtime::new(service).client(client);
    runtime.status_address(address).configure(|settings| {
        settings.park = None;
        settings.commit_interval = Duration::from_millis(100);
        settings.drain = Duration::from_secs(2);
    })
}

async fn becomes_unhealthy(handle: &Handle, words: &[&str]) {
    eventually(&format!("unhealthy with {words:?}"), async || {
        let status = handle.status();
        let troubles = status.troubles.join("\n");
        !status.healthy && words.iter().all(|word| troubles.contains(word))
    })
    .await;
}

/// What liveness and readiness answer.
async fn probes(handle: &Handle) -> (u16, u16) {
    let at = handle.status_address().unwrap();
    let live = events_status::get(at, "/healthz").await.unwrap();
    let ready = events_status::get(at, "/readyz").await.unwrap();
    (live.status, ready.status)
}

mod fenced {
    use super::*;

    events_kafka::service!("membership-fenced");

    #[handler]
    async fn fail(_task: Task, attempts: State<AtomicUsize>) -> Result<()> {
        attempts.fetch_add(1, Ordering::Relaxed);
        Err(Error::msg("always"))
    }
}

/// Another process has its place in the group, and its partitions (D8, D12).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_member_stops_its_attempts_and_names_its_instance_id() {
    let cluster = cluster("membership-fenced");
    let attempts = Arc::new(AtomicUsize::new(0));
    let service = runtime("membership-fenced", &cluster, "127.0.0.8:0")
        .set("group.instance.id", "pod-0")
        .configure(|settings| {
            settings.exhausted = Exhausted::Block;
            settings.retry.min = Duration::from_millis(10);
            settings.retry.max = Duration::from_millis(20);
        })
        .shared_state(Arc::clone(&attempts));
    let handle = service.spawn().await.unwrap();
    let producer = handle.producer().unwrap();
    producer.publish(&task("one")).await.unwrap();
    eventually("it is tried", async || attempts.load(Ordering::Relaxed) > 2).await;
    let fenced = RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    cluster.request_errors(RDKafkaApiKey::Heartbeat, &[fenced]);
    let words = ["FencedInstanceId", "group.instance.id `pod-0`", "restart"];
    becomes_unhealthy(&handle, &words).await;
    eventually("its lane has ended", async || {
        handle.partitions() == 0 && handle.status().lanes.is_empty()
    })
    .await;
    // A restart would fence the process that has its place, which would be restarted in turn.
    assert_eq!(probes(&handle).await, (200, 503), "D12");
    let before = attempts.load(Ordering::Relaxed);
    // A hundred times as long as the wait between two attempts.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(attempts.load(Ordering::Relaxed), before, "D8");
    assert!(handle.drain().await.drained);
}

mod refused {
    use super::*;

    events_kafka::service!("membership-refused");

    #[handler]
    async fn count(_task: Task, done: State<AtomicUsize>) {
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// The client goes on asking, and says so in its own log alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_coordinator_refuses_a_member_for_stands_in_the_status_until_it_is_taken() {
    use RDKafkaRespErr as Code;
    let cluster = cluster("membership-refused");
    for (request, code, words) in [
        (
            RDKafkaApiKey::JoinGroup,
            Code::RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
            "InconsistentGroupProtocol: other members of the group use another assignor",
        ),
        (
            RDKafkaApiKey::JoinGroup,
            Code::RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
            "InvalidSessionTimeout: the session timeout",
        ),
        (
            RDKafkaApiKey::JoinGroup,
            Code::RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED,
            "GroupMaxSizeReached: the group is full",
        ),
        (
            RDKafkaApiKey::FindCoordinator,
            Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            "GroupAuthorizationFailed: this user must be allowed to Read the consumer group",
        ),
    ] {
        cluster.request_errors(request, &[code; 1_000]);
        let done = Arc::new(AtomicUsize::new(0));
        let service =
            runtime("membership-refused", &cluster, "127.0.0.9:0").shared_state(Arc::clone(&done));
        let handle = service.spawn().await.unwrap();
        let of = "the coordinator of the group `membership-refused` refuses this member";
        becomes_unhealthy(&handle, &[of, words]).await;
        assert_eq!(probes(&handle).await, (200, 503), "D12");
        assert_eq!(handle.partitions(), 0);
        cluster.clear_request_errors(request);
        handle
            .producer()
            .unwrap()
            .publish(&task("one"))
            .await
            .unwrap();
        eventually("it goes on by itself", async || {
            done.load(Ordering::Relaxed) > 0 && handle.status().healthy
        })
        .await;
        assert_eq!(probes(&handle).await, (200, 200));
        assert!(handle.drain().await.drained);
    }
}

mod unavailable {
    use super::*;

    events_kafka::service!("membership-unavailable");

    #[handler]
    async fn count(_task: Task) {}
}

/// The client tells nobody that there is no coordinator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_waits_long_for_an_assignment_is_unhealthy_and_says_why_it_may_wait() {
    let cluster = cluster("membership-unavailable");
    let away = RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
    cluster.request_errors(RDKafkaApiKey::FindCoordinator, &[away; 10_000]);
    let service = runtime("membership-unavailable", &cluster, "127.0.0.10:0");
    let handle = service.spawn().await.unwrap();
    let words = [
        "the group `membership-unavailable` has given this member no assignment for",
        "its coordinator does not answer or is not available",
    ];
    becomes_unhealthy(&handle, &words).await;
    assert_eq!(probes(&handle).await, (200, 503), "D12");
    cluster.clear_request_errors(RDKafkaApiKey::FindCoordinator);
    eventually("it goes on by itself", async || {
        handle.partitions() == 1 && handle.status().healthy
    })
    .await;
    assert!(handle.drain().await.drained);
}

mod standby {
    use super::*;

    events_kafka::service!("membership-standby");

    /// Something to do, in a topic of one partition.
    #[event(topic = "membership-standby", key = key)]
    pub(super) struct Rare {
        key: String,
    }

    #[handler]
    async fn work(_rare: Rare) {}
}

/// A group has more members than partitions: those without one are healthy and ready (D12).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_without_partitions_is_ready_under_both_protocols() {
    let protocols: &[GroupProtocol] = match support::real() {
        true => &[GroupProtocol::Classic, GroupProtocol::Consumer],
        false => &[GroupProtocol::Classic],
    };
    let cluster: Cluster = MockCluster::new(1).unwrap();
    for topic in ["membership-standby", "membership-standby.dead-letters"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    for protocol in protocols {
        let start = async |address| {
            let client = match support::real() {
                true => ClientOptions::new(),
                false => ClientOptions::without_environment()
                    .set("bootstrap.servers", cluster.bootstrap_servers()),
            };
            let client = client.group_protocol(*protocol);
            let runtime = Runtime::new("membership-standby").client(client);
            let runtime = match support::real() {
                true => runtime.ensure_topics(1, 1),
                false => runtime,
            };
            let runtime = runtime.status_address(address);
            let runtime = runtime.configure(|settings| {
                settings.park = None;
                settings.commit_interval = Duration::from_millis(100);
            });
            runtime.spawn().await.unwrap()
        };
        let (first, second) = (start("127.0.0.15:0").await, start("127.0.0.16:0").await);
        for handle in [&first, &second] {
            eventually(&format!("{protocol:?}: both are ready"), async || {
                probes(handle).await == (200, 200) && handle.status().healthy
            })
            .await;
        }
        eventually(&format!("{protocol:?}: one has none"), async || {
            first.partitions() + second.partitions() == 1
        })
        .await;
        first.drain().await;
        second.drain().await;
    }
}
