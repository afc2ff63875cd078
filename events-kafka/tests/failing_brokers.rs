//! Services whose brokers come late, or all go away, or do not lead a partition, on a cluster of each test's own.
#![cfg(feature = "status")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use events_kafka::{ClientOptions, KafkaError, Runtime, Settings, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

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

#[handler(service = "late-parking")]
async fn keep(sent: ParcelSent, seen: State<Seen>) {
    seen.0.lock().unwrap().push(sent.parcel);
}

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

/// What a partition needs has no leader: itself, or its parked log.
async fn one_partition_waits_for(topic: &str, why: &str, port: &str) {
    const PARKED: &str = "late-parking.parked.late-parcels";
    let cluster = MockCluster::new(1).unwrap();
    for (topic, partitions) in [
        ("late-parcels", 3),
        (PARKED, 3),
        ("late-parking.dead-letters", 1),
    ] {
        cluster.create_topic(topic, partitions, 1).unwrap();
    }
    cluster.partition_leader(topic, 1, None).unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .create()
        .unwrap();
    let publish = |partition: i32| {
        let value = format!(r#"{{"parcel":"p-{partition}"}}"#);
        let header = |key, value| Header {
            key,
            value: Some(value),
        };
        let headers = OwnedHeaders::new()
            .insert(header("ce_specversion", "1.0"))
            .insert(header("ce_type", "ParcelSent"))
            .insert(header("ce_source", "test"))
            .insert(header("ce_id", value.as_str()));
        let key = partition.to_string();
        let record = BaseRecord::to("late-parcels")
            .partition(partition)
            .key(&key)
            .payload(&value)
            .headers(headers);
        producer.send(record).unwrap();
        producer.flush(Duration::from_secs(60)).unwrap();
    };
    publish(0);
    publish(2);

    let seen = Arc::new(Seen::default());
    let handle = runtime("late-parking", &cluster, port)
        .configure(|settings| settings.park = Settings::default().park)
        .shared_state(Arc::clone(&seen))
        .spawn()
        .await
        .unwrap();
    let handled = || {
        let mut seen = seen.0.lock().unwrap().clone();
        seen.sort();
        seen
    };
    eventually("the others are read", async || handled() == ["p-0", "p-2"]).await;
    let at = handle.status_address().unwrap();
    let (status, reasons) = told(at, "/readyz").await;
    assert_eq!(status, 503, "{reasons}");
    let reason = format!("late-parking: partition late-parcels/1 waits: {why} has no leader");
    assert!(reasons.contains(&reason), "{reasons}");
    assert_eq!(handle.partitions(), 2);
    assert_eq!(handle.lag(), None, "that of the third is not known");

    cluster.partition_leader(topic, 1, Some(1)).unwrap();
    publish(1);
    eventually("the third is read too", async || {
        handled() == ["p-0", "p-1", "p-2"]
    })
    .await;
    eventually("it is ready", async || told(at, "/readyz").await.0 == 200).await;
    assert!(handle.drain().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_without_a_leader_waits_and_the_others_go_on() {
    one_partition_waits_for("late-parcels", "it", "127.0.0.11:0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_whose_parked_log_has_no_leader_waits_and_the_others_go_on() {
    let parked = "late-parking.parked.late-parcels";
    let why = format!("its parked log {parked}/1");
    one_partition_waits_for(parked, &why, "127.0.0.12:0").await;
}
