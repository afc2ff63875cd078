//! Topics that get partitions while a service runs, with the client's own settings.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_kafka::{ClientOptions, Error, GroupProtocol, Result, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use support::{real, topic, unique};

/// A parcel left.
#[event(topic = "growing-parcels", key = parcel)]
struct ParcelSent {
    parcel: String,
}

/// Parcels that were handled, and those that failed once.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

#[handler(retry(attempts = 1))]
async fn keep(sent: ParcelSent, seen: State<Seen>) -> Result<()> {
    seen.0.lock().unwrap().push(sent.parcel.clone());
    match sent.parcel.starts_with("torn") {
        true => Err(Error::msg("it is torn")),
        false => Ok(()),
    }
}

const TOPIC: &str = "growing-parcels";

fn config() -> ClientConfig {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap();
    ClientConfig::from_iter([("bootstrap.servers".to_owned(), servers)])
}

/// Partitions of the topic now, by a client that knows nothing yet.
fn partitions() -> usize {
    let producer: BaseProducer = config().create().unwrap();
    let metadata = producer
        .client()
        .fetch_metadata(Some(TOPIC), Duration::from_secs(60))
        .unwrap();
    metadata.topics()[0].partitions().len()
}

async fn grow(count: usize) {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let new = NewPartitions::new(TOPIC, count);
    let grown = admin.create_partitions([&new], &AdminOptions::new()).await;
    assert!(grown.unwrap().iter().all(std::result::Result::is_ok));
    eventually("the brokers know", async || partitions() == count).await;
}

fn publish(partition: usize, parcel: &str) {
    let producer: BaseProducer = config().create().unwrap();
    let header = |key, value| Header {
        key,
        value: Some(value),
    };
    let headers = OwnedHeaders::new()
        .insert(header("ce_specversion", "1.0"))
        .insert(header("ce_type", "ParcelSent"))
        .insert(header("ce_source", "test"))
        .insert(header("ce_id", parcel));
    let value = format!(r#"{{"parcel":"{parcel}"}}"#);
    let record = BaseRecord::to(TOPIC)
        .partition(i32::try_from(partition).unwrap())
        .key(parcel)
        .payload(&value)
        .headers(headers);
    producer.send(record).unwrap();
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// Of two members one does not lead its group, and learns of the partitions by its assignment. The parked topic has to get
/// partitions too, and every client has a picture of its own.
async fn added_partitions_are_read_soon(protocol: GroupProtocol, count: usize) {
    topic(TOPIC, 2).await;
    let service = unique("growing");
    let seen = Arc::new(Seen::default());
    let mut members = Vec::new();
    for _ in 0..count {
        let runtime = Runtime::new(&service)
            .client(ClientOptions::new())
            .group_protocol(protocol)
            .ensure_topics(2, 1)
            .publish_manifest(false)
            .shared_state(Arc::clone(&seen));
        members.push(runtime.spawn().await.unwrap());
    }
    let before = partitions();
    eventually("the partitions are shared", async || {
        members
            .iter()
            .map(|member| member.partitions())
            .sum::<usize>()
            == before
    })
    .await;
    let saw = |parcel: &str| seen.0.lock().unwrap().iter().any(|known| known == parcel);
    let first = format!("first-{service}");
    publish(0, &first);
    eventually("the first is handled", async || saw(&first)).await;

    grow(before + 2).await;
    let named = |word: &str| [0, 1].map(|number| format!("{word}-{service}-{number}"));
    let (whole, torn) = (named("whole"), named("torn"));
    for number in [0, 1] {
        publish(before + number, &torn[number]);
        publish(before + number, &whole[number]);
    }
    // With the client's own interval it would take five minutes.
    eventually("the new partitions are read", async || {
        whole.iter().chain(&torn).all(|parcel| saw(parcel))
    })
    .await;
    eventually("failed keys of the new partitions are parked", async || {
        let lanes = members.iter().flat_map(|member| member.status().lanes);
        let new = lanes.filter(|lane| lane.partition.partition as usize >= before);
        new.map(|lane| lane.parked_keys).sum::<usize>() == 2
    })
    .await;
    for member in members {
        assert!(member.drain().await.drained);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_are_added_are_read_within_seconds() {
    if !real() {
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    // One after the other: all add partitions to the topic.
    for (protocol, members) in [
        (GroupProtocol::Classic, 1),
        (GroupProtocol::Classic, 2),
        (GroupProtocol::Consumer, 2),
    ] {
        added_partitions_are_read_soon(protocol, members).await;
    }
}
