//! What a rebalance asks the cluster.

use std::collections::BTreeMap;
use std::time::Instant;

use events_core::{event, handler};
use events_runtime::Service;
use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, Producer};

use super::*;
use crate::member::ConsumerFactory;
use crate::options::ClientOptions;
use crate::sink::LaneProducer;

const LIST_OFFSETS: i16 = 2;
const METADATA: i16 = 3;
const OFFSET_FETCH: i16 = 9;

#[event(topic = "rebalance-requests", key = id)]
struct Asked {
    id: String,
}

#[handler(service = "rebalance-requests")]
async fn answer(_asked: Asked) {}

/// What a member asks that is assigned so many partitions, for which nothing is committed.
fn requests(partitions: i32) -> BTreeMap<i16, usize> {
    let mut config = ClientConfig::new();
    config.set("test.mock.num.brokers", "1");
    let carrier = BaseProducer::from_config(&config).unwrap();
    ffi::without_rebalance_delay(carrier.client());
    let cluster: MockCluster<'_, _> = carrier.client().mock_cluster().unwrap();
    let client =
        ClientOptions::without_environment().set("bootstrap.servers", cluster.bootstrap_servers());
    let plan = Service::new("rebalance-requests").plan().unwrap().remove(0);
    for (topic, plan) in &plan.topics {
        let parked = plan.parked.as_deref().expect("keys are parked");
        for topic in [topic, parked] {
            cluster.create_topic(topic, partitions, 1).unwrap();
        }
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let lanes = LaneProducer::start(&client).unwrap();
    let group = Arc::new(Group::new(plan, Arc::clone(&lanes) as _, handle.clone()));
    let outage = Outage::new(&client, &[], handle.clone());
    let drain = Duration::from_secs(1);
    ffi::track_requests(carrier.client());
    let factory = ConsumerFactory::new(&group, &client, handle, &lanes, &outage, drain).unwrap();
    let consumer = factory.consumer().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while group.partitions().len() < partitions as usize {
        assert!(Instant::now() < end, "not all partitions are assigned");
        consumer.poll(Duration::from_millis(10));
    }
    let requests = ffi::tracked_requests(carrier.client());
    // Lanes end before their consumer does.
    runtime.block_on(group.lose(&group.partitions()));
    requests
}

#[test]
fn a_rebalance_asks_no_question_for_each_partition() {
    const FEW: i32 = 4;
    const MANY: i32 = 200;
    let (few, many) = (requests(FEW), requests(MANY));
    let count = |of: &BTreeMap<i16, usize>, key| of.get(&key).copied().unwrap_or(0);
    // Where partitions start; the beginnings and the ends of their parked logs.
    assert!((1..=3).contains(&count(&few, LIST_OFFSETS)), "{few:?}");
    for key in [LIST_OFFSETS, OFFSET_FETCH] {
        assert_eq!(
            count(&few, key),
            count(&many, key),
            "{key}: {few:?} {many:?}"
        );
    }
    // The client asks for metadata by itself as well.
    assert!(count(&many, METADATA) < MANY as usize / 2, "{many:?}");
}
