//! How soon a partition that was assigned is read, where its lane first reads its parked log.

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use events_kafka::{Handle, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use support::{client, topic, unique};

/// A parcel came in.
#[event(topic = "first-parcels", key = parcel)]
struct ParcelCame {
    parcel: String,
}

/// Parcels that were handled, and when the last of them was.
#[derive(Default)]
struct Seen(Mutex<(BTreeSet<String>, Option<Instant>)>);

impl Seen {
    /// When the last of these parcels was handled; none while one is missing.
    fn all(&self, parcels: &[String]) -> Option<Instant> {
        let seen = self.0.lock().unwrap();
        let whole = parcels.iter().all(|parcel| seen.0.contains(parcel));
        seen.1.filter(|_| whole)
    }
}

// It parks, as handlers do by default.
#[handler]
async fn keep(came: ParcelCame, seen: State<Seen>) {
    let mut seen = seen.0.lock().unwrap();
    seen.0.insert(came.parcel);
    seen.1 = Some(Instant::now());
}

const TOPIC: &str = "first-parcels";
const PARTITIONS: i32 = 8;
const STARTS: usize = 3;
/// A partition that the client must first look at again waits for almost a second, in every start.
const SOON: Duration = Duration::from_millis(500);

/// Publishes a parcel to each partition, and answers their names.
fn publish(handle: &Handle, name: &str) -> Vec<String> {
    let address = ("bootstrap.servers".to_owned(), handle.address().to_owned());
    let config = ClientConfig::from_iter([address]);
    let producer: BaseProducer = config.create().unwrap();
    let named = |partition| format!("{name}-{partition}");
    let parcels: Vec<_> = (0..PARTITIONS).map(named).collect();
    for (partition, parcel) in (0..).zip(&parcels) {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_type", "ParcelCame"),
            ("ce_source", "test"),
            ("ce_id", parcel),
        ];
        let headers = headers.map(|(key, value)| Header {
            key,
            value: Some(value),
        });
        let headers = headers
            .into_iter()
            .fold(OwnedHeaders::new(), OwnedHeaders::insert);
        let value = format!(r#"{{"parcel":"{parcel}"}}"#);
        let record = BaseRecord::to(TOPIC)
            .partition(partition)
            .key(parcel)
            .payload(&value)
            .headers(headers);
        producer.send(record).unwrap();
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    parcels
}

/// No partition may be left unread in any of the starts (D1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_parks_takes_its_first_records_soon() {
    topic(TOPIC, PARTITIONS).await;
    let mut waits = Vec::new();
    for _ in 0..STARTS {
        let name = unique("first");
        let seen = Arc::new(Seen::default());
        let runtime = Runtime::new(&name)
            .client(client())
            .park_on_embedded()
            .ensure_topics(PARTITIONS, 1)
            .publish_manifest(false)
            .shared_state(Arc::clone(&seen));
        let handle = runtime.spawn().await.unwrap();
        eventually("all partitions are assigned", async || {
            handle.partitions() == PARTITIONS as usize
        })
        .await;
        let parcels = publish(&handle, &name);
        let published = Instant::now();
        eventually("every partition is read", async || {
            seen.all(&parcels).is_some()
        })
        .await;
        let taken = seen.all(&parcels).unwrap();
        waits.push(taken.saturating_duration_since(published));
        assert!(handle.drain().await.drained);
    }
    waits.sort_unstable();
    // A loaded machine may hold up a start.
    assert!(waits[STARTS / 2] < SOON, "{waits:?} behind the publish");
}
