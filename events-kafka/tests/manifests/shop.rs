//! Two services that share events, and what others say of themselves on the same cluster.

use std::time::Duration;

use events_core::manifest::Manifest;
use events_kafka::{ClientOptions, Registry, Runtime, command, event, handler};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::Value;

use crate::support::{Logged, client};

pub(crate) const TOPIC: &str = "_events.manifests";
pub(crate) const DEPOT: &str = "manifests-depot";
pub(crate) const YARD: &str = "manifests-yard";

/// What one test writes, others read.
pub(crate) static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A crate has come in.
#[event(topic = "manifests-crates", key = id, name = "manifests.CrateArrived")]
pub(crate) struct CrateArrived {
    pub(crate) id: String,
}

/// A crate has its place.
#[event(topic = "manifests-places", key = id, name = "manifests.CrateStored")]
pub(crate) struct CrateStored {
    pub(crate) id: String,
}

/// Moves a crate.
#[command(owner = "manifests-yard", key = id, name = "manifests.MoveCrate")]
pub(crate) struct MoveCrate {
    pub(crate) id: String,
}

#[handler(service = "manifests-depot")]
async fn store(arrived: CrateArrived) -> CrateStored {
    CrateStored { id: arrived.id }
}

#[handler(service = "manifests-yard")]
async fn shift(_command: MoveCrate) {}

pub(crate) fn runtime(service: &str) -> Runtime {
    Runtime::with_registry(service, Registry::linked())
        .client(client())
        .ensure_topics(2, 1)
}

/// Starts a service and ends it again; by then it has said what it is.
pub(crate) async fn run_once(runtime: Runtime) {
    let handle = runtime.spawn().await.unwrap();
    assert!(handle.drain().await.drained);
}

/// Writes a record as another service would have.
pub(crate) fn publish(service: &str, value: Option<&[u8]>) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address());
    let producer: BaseProducer = config.create().unwrap();
    let mut record = BaseRecord::<_, [u8]>::to(TOPIC).key(service);
    if let Some(value) = value {
        record = record.payload(value);
    }
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();
}

pub(crate) fn address() -> String {
    let options = ClientOptions::new();
    options.address().unwrap_or_default().to_owned()
}

/// Another service's manifest: this one's, changed.
pub(crate) fn imitation(
    of: &Runtime,
    service: &str,
    change: impl FnOnce(&mut Manifest),
) -> Vec<u8> {
    let mut manifest = of.manifest();
    service.clone_into(&mut manifest.service);
    change(&mut manifest);
    manifest.to_json().into_bytes()
}

/// The newest record of a service, of those that stand in the topic.
pub(crate) fn newest<'a>(records: &'a [Logged], service: &str) -> Option<&'a Logged> {
    records.iter().rev().find(|record| record.key == service)
}

/// How many records of a service there are.
pub(crate) fn count(records: &[Logged], service: &str) -> usize {
    let of = records.iter().filter(|record| record.key == service);
    of.count()
}

pub(crate) fn names(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| entry[field].as_str().unwrap().to_owned())
        .collect()
}
