//! Services whose brokers come late, or all go away, on a cluster of each test's own.
#![cfg(feature = "status")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use events_kafka::{ClientOptions, KafkaError, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A parcel left.
#[event(topic = "late-parcels", key = parcel)]
struct ParcelSent {
    parcel: String,
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

#[handler(service = "late-tracking")]
async fn note(sent: ParcelSent, seen: State<Seen>) {
    seen.0.lock().unwrap().push(sent.parcel);
}

#[handler(service = "late-beside")]
async fn ignore(_sent: ParcelSent) {}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster() -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    for topic in [
        "late-parcels",
        "late-tracking.dead-letters",
        "late-beside.dead-letters",
    ] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    cluster
}

fn runtime(service: &str, cluster: &Cluster, address: &str) -> Runtime {
    let client = ClientOptions::without_environment()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("reconnect.backoff.max.ms", "100");
    Runtime::new(service)
        .client(client)
        .configure(|settings| settings.park = None)
        .publish_manifest(false)
        .status_address(address)
}

async fn told(at: SocketAddr, path: &str) -> (u16, String) {
    let told = events_status::get(at, path).await.unwrap();
    (told.status, told.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_started_before_its_broker_waits_for_it() {
    // Services of one address share an endpoint: by this one the other's is known before it has started.
    let beside = cluster();
    let endpoint = "127.0.0.9:0";
    let beside = runtime("late-beside", &beside, endpoint)
        .spawn()
        .await
        .unwrap();
    let at = beside.status_address().unwrap();

    let cluster = cluster();
    cluster.broker_down(1).unwrap();
    let seen = Arc::new(Seen::default());
    let late = runtime("late-tracking", &cluster, endpoint).shared_state(Arc::clone(&seen));
    let starting = tokio::spawn(late.spawn());
    eventually("it is not ready and says why", async || {
        let (status, reasons) = told(at, "/readyz").await;
        let why = format!(
            "late-tracking: the cluster at {} does not answer: ",
            cluster.bootstrap_servers()
        );
        status == 503 && reasons.contains(&why)
    })
    .await;
    assert_eq!(told(at, "/healthz").await.0, 200, "a restart does not help");

    cluster.broker_up(1).unwrap();
    let handle = starting.await.unwrap().unwrap();
    eventually("both are ready", async || {
        told(at, "/readyz").await.0 == 200
    })
    .await;
    let parcel = "p-1".to_owned();
    let producer = handle.producer().unwrap();
    producer.publish(&ParcelSent { parcel }).await.unwrap();
    eventually("it handles records", async || {
        *seen.0.lock().unwrap() == ["p-1"]
    })
    .await;
    assert!(handle.drain().await.drained);
    assert!(beside.drain().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_the_broker_can_be_limited() {
    let cluster = cluster();
    cluster.broker_down(1).unwrap();
    let limit = Duration::from_millis(300);
    let began = Instant::now();
    let runtime = runtime("late-beside", &cluster, "127.0.0.9:0").start_timeout(limit);
    let error = runtime.spawn().await.unwrap_err();
    assert!(began.elapsed() >= limit);
    let text = error.to_string();
    assert!(
        matches!(error, KafkaError::Cluster { .. })
            && text.contains(&cluster.bootstrap_servers())
            && text.contains("did not answer while the start waited for it"),
        "{text}"
    );
}

/// Nothing is under way, so no lane could tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_service_whose_brokers_are_all_away_is_not_ready() {
    let cluster = cluster();
    let handle = runtime("late-beside", &cluster, "127.0.0.10:0")
        .spawn()
        .await
        .unwrap();
    let at = handle.status_address().unwrap();
    for round in ["the first", "the second"] {
        eventually("it is ready", async || told(at, "/readyz").await.0 == 200).await;
        cluster.broker_down(1).unwrap();
        eventually(&format!("it tells {round} outage"), async || {
            let (status, reasons) = told(at, "/readyz").await;
            status == 503 && reasons.contains("late-beside: no broker answers: ")
        })
        .await;
        cluster.broker_up(1).unwrap();
    }
    eventually("it is ready again", async || {
        told(at, "/readyz").await.0 == 200
    })
    .await;
    assert!(handle.drain().await.drained);
}
